// See: draw, and every layer answers; point at a cell, and its sum is written out.
import { commas, reach, trace } from "./count.js";
import { build, bytes, explain, forward, halves, load, room, softmax, spread, strength, toInput } from "./net.js";
import { $, BLUES, BOTH, color, fit, INK, frame, paintMap, paintTiles, tiling } from "./paint.js";
import { garmentFromFile } from "./photo.js";

/** @typedef {{data: any, say: (text: string) => void, warn: (text: string) => void, moved: () => void}} App */
/** @typedef {{image: Uint8Array, input: Float32Array, out: Float32Array[], from: string, stale: boolean}} Side one image and what every layer gives for it */

/** @param {number} v @param {number} [digits] */
const signed = (v, digits = 3) => (v < 0 ? "−" : "") + Math.abs(v).toFixed(digits);
/** @param {number} share */
const percent = (share) => share > 0.9995 ? "100%" : share < 0.0005 ? "0%" : `${(100 * share).toFixed(1)}%`;

/** @param {App} app */
export function see(app) {
  const { data } = app, net = build(data.network);
  load(net, halves(bytes($("weights").textContent)));
  const pictures = bytes(data.images), rows = trace(data.network);
  /** @returns {Side} */
  const fresh = () => ({ image: new Uint8Array(784), input: new Float32Array(1024), out: room(net), from: "", stale: true });
  const sides = { a: fresh(), b: fresh() };
  const state = { layer: 3, map: 0, row: 0, column: 0, term: -1, show: "a", compare: false, target: "a", erase: false };
  /** @param {"a"|"b"} key */
  const pad = (key) => /** @type {HTMLCanvasElement} */ ($(`pad-${key}`));
  const last = net.layers.length - 1;
  let due = 0, drawn = false;

  // What is shown -----------------------------------------------------------------------------------------------
  const strips = net.layers.slice(0, last).map((layer, i) => {
    const tiles = tiling(layer), item = document.createElement("li"), canvas = document.createElement("canvas");
    canvas.width = Math.min(tiles.maps, tiles.across) * tiles.slot;
    canvas.height = Math.ceil(tiles.maps / tiles.across) * tiles.slot;
    canvas.style.width = `${canvas.width / 1088 * 100}%`;
    const shape = layer.kind === "fc" ? `${layer.to}` : `${layer.to}×${layer.grid}×${layer.grid}`;
    item.innerHTML = `<button type="button"><span>${layer.name}</span> <small>${shape}</small></button>`;
    item.append(canvas, Object.assign(document.createElement("span"), { className: "apart", hidden: true }));
    $("layers").append(item);
    /** @type {HTMLButtonElement} */ (item.firstChild).onclick = () => choose({ layer: i, map: 0, row: 0, column: 0 }, true);
    const point = (/** @type {PointerEvent} */ event) => {
      const scale = canvas.width / canvas.clientWidth, x = event.offsetX * scale, y = event.offsetY * scale;
      const map = Math.floor(y / tiles.slot) * tiles.across + Math.floor(x / tiles.slot);
      const inside = (/** @type {number} */ v) => Math.max(0, Math.min(layer.grid - 1, Math.floor((v % tiles.slot) / tiles.cell)));
      if (map >= 0 && map < layer.to) choose({ layer: i, map, row: inside(y), column: inside(x) }, event.type === "pointerdown");
    };
    canvas.onpointermove = point;
    canvas.onpointerdown = point;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    return { item, context, tiles, picture: context.createImageData(canvas.width, canvas.height), buffer: new Float32Array(layer.to * layer.grid ** 2) };
  });
  $("answers").innerHTML = data.classes.map((/** @type {string} */ name) => `<div class="answer"><b>${name}</b><div class="bar"><i></i><i hidden></i></div><span></span><span class="b" hidden></span></div>`).join("");
  $("layer").innerHTML = net.layers.map((l, i) => `<option value="${i}">${l.name}</option>`).join("");
  const answers = [...$("answers").children];

  /** The values of a layer as the strips show them. @param {number} i */
  function shown(i) {
    if (!state.compare || state.show !== "d") return sides[state.compare && state.show === "b" ? "b" : "a"].out[i];
    const { out: a } = sides.a, { out: b } = sides.b, result = (strips[i] || { buffer: new Float32Array(10) }).buffer;
    for (let k = 0; k < result.length; k++) result[k] = a[i][k] - b[i][k];
    return result;
  }
  /** Lowest and highest shade of a layer: fixed, so that a map brightens only when its values grow. @param {number} i
   * @returns {[number, number, Uint32Array]} */
  function shades(i) {
    const bright = data.bright[net.layers[i].name];
    return state.compare && state.show === "d" ? [-bright, bright, BOTH] : [0, bright, BLUES];
  }

  /** Compute what is stale and draw all of it: one frame. */
  function update() {
    due = 0;
    const began = performance.now();
    for (const key of state.compare ? ["a", "b"] : ["a"]) {
      const side = sides[/** @type {"a"|"b"} */ (key)];
      if (side.stale) forward(net, toInput(side.image, data.mean, data.std, side.input), side.out);
      side.stale = false;
    }
    strips.forEach((strip, i) => {
      paintTiles(strip.context, strip.picture, strip.tiles, shown(i), ...shades(i));
      if (i === state.layer) {
        const { slot, across, cell } = strip.tiles, x = (state.map % across) * slot, y = Math.floor(state.map / across) * slot, size = net.layers[i].grid * cell;
        strip.context.setTransform(1, 0, 0, 1, 0, 0);
        strip.context.lineWidth = 4; strip.context.strokeStyle = "#d55e00"; strip.context.strokeRect(x + 1, y + 1, Math.max(6, size - 2), Math.max(6, size - 2));
      }
      const apart = /** @type {HTMLElement} */ (strip.item.lastChild);
      if (state.compare) {
        const share = Math.min(1, spread(sides.a.out[i], sides.b.out[i]) / (strength(sides.a.out[i], sides.b.out[i]) || 1));
        apart.innerHTML = `${Math.round(100 * share)}% apart<i style="width:${(100 * share).toFixed(0)}%"></i>`;
      }
    });
    const p = softmax(sides.a.out[last]), q = state.compare ? softmax(sides.b.out[last]) : p, top = p.indexOf(Math.max(...p));
    answers.forEach((row, k) => {
      const [first, second] = /** @type {HTMLElement[]} */ ([...row.children[1].children]);
      first.style.transform = `scaleX(${p[k]})`;
      second.style.transform = `scaleX(${q[k]})`;
      row.classList.toggle("top", k === top);
      row.children[2].textContent = percent(p[k]);
      row.children[3].textContent = percent(q[k]);
    });
    drawPads();
    drawGlass();
    frames.push(performance.now() - began);
    if (!drawn) performance.mark("first-picture");
    drawn = true;
  }
  const request = () => { due ||= requestAnimationFrame(update); };

  function drawPads() {
    const { kind, name } = net.layers[state.layer];
    for (const key of /** @type {("a"|"b")[]} */ (["a", "b"])) {
      if (key === "b" && !state.compare) continue;
      const { context, cell } = paintMap(pad(key), sides[key].image, 28, 0, 255, INK);
      if (kind !== "fc") {
        const y = reach(rows, name, state.row), x = reach(rows, name, state.column);
        const cut = (/** @type {number} */ first, /** @type {number} */ size) => [Math.max(0, first - 2), Math.min(28, first - 2 + size)];
        const [top, bottom] = cut(y.first, y.side), [left, right] = cut(x.first, x.side);
        if (bottom > top && right > left) frame(context, left * cell + 1, top * cell + 1, (right - left) * cell - 2, (bottom - top) * cell - 2, Math.max(2, cell / 4));
      }
      if (document.activeElement === pad(key) && keys) frame(context, cursor[0] * cell, cursor[1] * cell, cell, cell, 2);
      $(`cap-${key}`).textContent = `${state.compare ? (key === "a" ? "First: " : "Second: ") : ""}${sides[key].from}`;
    }
  }

  /** The chosen map, enlarged, and the sum behind the chosen cell. */
  function drawGlass() {
    const i = state.layer, layer = net.layers[i], { grid } = layer, { map, row, column } = state;
    const side = sides[state.compare && state.show === "b" ? "b" : "a"], area = grid * grid;
    const { context, cell } = paintMap($("glass"), shown(i).subarray(map * area, (map + 1) * area), grid, ...(i === last ? /** @type {[number, number, Uint32Array]} */ ([-10, 10, BOTH]) : shades(i)));
    frame(context, column * cell + 1, row * cell + 1, cell - 2, cell - 2, Math.max(2, Math.min(5, cell / 6)));
    const input = i ? side.out[i - 1] : side.input, told = explain(layer, input, map, row, column);
    const field = layer.kind === "fc" ? 0 : reach(rows, layer.name, 0).side;
    $("field").innerHTML = layer.kind === "fc" ? `Unit ${map + 1} of ${layer.name}. It reads all ${commas(layer.from)} numbers of the layer before, so every pixel.`
      : `Map ${map + 1} of ${layer.name}. This cell can see <b>${field}×${field}</b> pixels of the 32×32 input: the frame on your drawing${field > 28 ? ", which is all of it" : ""}.`;
    const strongest = told.terms.reduce((best, t, k) => Math.abs(t.sum) > Math.abs(told.terms[best].sum) ? k : best, 0);
    const k = state.term < 0 || state.term >= told.terms.length ? strongest : state.term, term = told.terms[k];
    const numbers = (/** @type {number[]} */ values, /** @type {string} */ kind) => `<div class="grid ${kind}" style="grid-template-columns:repeat(${Math.sqrt(values.length)},auto)">${values.map((v) => `<span>${signed(v, 2)}</span>`).join("")}</div>`;
    const line = (/** @type {string} */ name, /** @type {string} */ value, kind = "") => `<tr class="${kind}"><td>${name}</td><td>${value}</td></tr>`;
    if (layer.kind === "pool") $("sum").innerHTML = `<div class="product">${numbers(term.window, "w")}<span>the largest of four:</span> <b>${signed(told.out)}</b></div>`;
    else {
      const { norm } = layer, from = layer.kind === "fc" ? "inputs" : layer.from === 1 ? "channel" : "channels";
      $("sum").innerHTML = `<div class="product">${numbers(term.window, "w")}<span>×</span>${numbers(term.kernel, "k")}</div><p>${layer.kind === "fc" ? `Input ${k + 1} × weight` : `Channel ${k + 1}: window × kernel, nine products,`} = <b>${signed(term.sum)}</b>${k === strongest && layer.from > 1 ? ", the largest part of all" : ""}</p><table>` +
        line(`Sum over ${commas(layer.from)} ${from}`, signed(told.sum)) + line("plus bias", signed(told.biased)) +
        (norm ? line(`batch norm: (${signed(told.biased, 2)} − ${signed(norm.mean[map], 2)}) ÷ ${signed(Math.sqrt(norm.variance[map] + 1e-5), 2)} × ${signed(norm.gamma[map], 2)} ${norm.beta[map] < 0 ? "−" : "+"} ${signed(Math.abs(norm.beta[map]), 2)}`, signed(told.normed)) : "") +
        line(layer.relu ? "ReLU: the cell" : `the score of ${data.classes[map]}`, signed(told.out), "out") + "</table>";
    }
    $("term-label").hidden = told.terms.length < 2;
    if (told.terms.length > 1) parts(told.terms.map((t) => t.sum), k);
    Object.assign($("term"), { max: told.terms.length, value: k + 1 });
    $("glass-title").textContent = `One cell of ${layer.name}, in numbers`;
  }

  /** What each channel adds to the sum, as bars up and down. @param {number[]} sums @param {number} chosen */
  function parts(sums, chosen) {
    const { c, w, h } = fit($("terms")), top = Math.max(...sums.map(Math.abs)) || 1, wide = w / sums.length;
    const usual = color("a"), marked = color("b");
    c.fillStyle = color("line");
    c.fillRect(0, h / 2, w, 1);
    sums.forEach((v, k) => {
      c.fillStyle = k === chosen ? marked : usual;
      c.fillRect(k * wide, h / 2, Math.max(k === chosen ? 3 : 0.6, wide - 1), -v / top * (h / 2 - 1));
    });
  }

  /** Another cell, or another layer. @param {Partial<typeof state>} change @param {boolean} [aloud] */
  function choose(change, aloud = false) {
    Object.assign(state, { term: -1 }, change);
    const layer = net.layers[state.layer];
    for (const [name, most] of /** @type {["map"|"row"|"column", number][]} */ ([["map", layer.to], ["row", layer.grid], ["column", layer.grid]])) {
      state[name] = Math.max(0, Math.min(most - 1, state[name]));
      Object.assign($(name === "map" ? "map" : `cell-${name}`), { max: most, value: state[name] + 1, disabled: most === 1 });
    }
    $("layer").value = state.layer;
    strips.forEach(({ item }, i) => i === state.layer ? item.setAttribute("aria-current", "true") : item.removeAttribute("aria-current"));
    request();
    if (aloud) {
      app.moved();
      app.say(`${layer.name}, map ${state.map + 1}, row ${state.row + 1}, column ${state.column + 1}. ${$("field").textContent}`);
    }
  }

  /** What the image is taken for, in words, once the hand rests. */
  function tell() {
    if (due) { cancelAnimationFrame(due); update(); }
    const words = (/** @type {Side} */ side) => {
      const p = softmax(side.out[last]), order = p.map((_, k) => k).sort((i, j) => p[j] - p[i]);
      return `${data.classes[order[0]]} ${percent(p[order[0]])}, then ${data.classes[order[1]]} ${percent(p[order[1]])}`;
    };
    app.say(state.compare ? `First image: ${words(sides.a)}. Second: ${words(sides.b)}.` : `It says ${words(sides.a)}.`);
    app.moved();
  }

  /** @param {"a"|"b"} key @param {ArrayLike<number>} image @param {string} from */
  function put(key, image, from) {
    sides[key].image.set(image);
    Object.assign(sides[key], { from, stale: true });
    for (const button of $("gallery").children) button.setAttribute("aria-pressed", String(Object.values(sides).some((s) => s.from === button.title && (state.compare || s === sides.a))));
    request();
  }
  /** A test image by its place in the test set. @param {"a"|"b"} key @param {number} index */
  function pick(key, index) {
    const k = data.indices.indexOf(index);
    if (k < 0) return false;
    put(key, pictures.subarray(784 * k, 784 * k + 784), title(k));
    return true;
  }
  const title = (/** @type {number} */ k) => `${data.classes[data.labels[k]]}, test image ${data.indices[k]}`;

  // Hands -------------------------------------------------------------------------------------------------------
  /** @type {[number, number]} */
  let cursor = [14, 14];
  let keys = false;
  /** A soft dot. @param {"a"|"b"} key @param {number} x @param {number} y */
  function dot(key, x, y) {
    const { image } = sides[key], radius = Number($("brush").value) / 1.6;
    for (let v = 0; v < 28; v++)
      for (let u = 0; u < 28; u++) {
        const ink = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(u + 0.5 - x, v + 0.5 - y))) * 225, i = v * 28 + u;
        image[i] = state.erase ? Math.min(image[i], 255 - ink * 255 / 225) : Math.max(image[i], ink);
      }
    Object.assign(sides[key], { from: "your drawing", stale: true });
    request();
  }
  for (const key of /** @type {("a"|"b")[]} */ (["a", "b"])) {
    /** @type {[number, number]|null} */
    let before = null;
    const place = (/** @type {PointerEvent} */ e) => /** @type {[number, number]} */ ([e.offsetX / pad(key).clientWidth * 28, e.offsetY / pad(key).clientHeight * 28]);
    const stroke = (/** @type {PointerEvent} */ e) => {
      if (!before) return;
      const [x, y] = place(e), [u, v] = before, steps = Math.max(1, Math.ceil(Math.hypot(x - u, y - v)));
      for (let i = 1; i <= steps; i++) dot(key, u + (x - u) * i / steps, v + (y - v) * i / steps);
      before = [x, y];
    };
    pad(key).onpointerdown = (e) => { keys = false; pad(key).setPointerCapture(e.pointerId); before = place(e); stroke(e); };
    pad(key).onpointermove = stroke;
    pad(key).onpointerup = pad(key).onpointercancel = () => { if (before) { before = null; put(key, sides[key].image, "your drawing"); tell(); } };
    pad(key).onfocus = pad(key).onblur = request;
    pad(key).onkeydown = (e) => {
      const [dx, dy] = arrows(e);
      if (!dx && !dy && e.key !== " ") return;
      e.preventDefault();
      keys = true;
      cursor = [Math.max(0, Math.min(27, cursor[0] + dx)), Math.max(0, Math.min(27, cursor[1] + dy))];
      if (e.key === " " || e.shiftKey) { dot(key, cursor[0] + 0.5, cursor[1] + 0.5); tell(); } else app.say(`Column ${cursor[0] + 1}, row ${cursor[1] + 1}`);
      request();
    };
    pad(key).ondragover = (e) => e.preventDefault();
    pad(key).ondrop = (e) => { e.preventDefault(); read(key, e.dataTransfer?.files[0]); };
  }
  const arrows = (/** @type {KeyboardEvent} */ e) => ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] })[e.key] || [0, 0];
  /** @param {"a"|"b"} key @param {Blob|undefined} file */
  async function read(key, file) {
    if (!file) return app.warn("That was no file. Drop a photo: PNG, JPEG, WebP, GIF or BMP.");
    try {
      put(key, await garmentFromFile(file), "your photo");
      app.warn("");
      tell();
    } catch (error) { app.warn(/** @type {Error} */ (error).message); }
  }
  const target = () => /** @type {"a"|"b"} */ (state.compare ? state.target : "a");
  const mode = (/** @type {boolean} */ erase) => { state.erase = erase; $("pen").setAttribute("aria-pressed", `${!erase}`); $("eraser").setAttribute("aria-pressed", `${erase}`); };
  $("pen").onclick = () => mode(false);
  $("eraser").onclick = () => mode(true);
  $("clear").onclick = () => { put(target(), new Uint8Array(784), "an empty sheet: draw on it"); mode(false); tell(); };
  $("photo").onchange = () => { read(target(), $("photo").files[0]); $("photo").value = ""; };
  $("compare").onchange = () => { compare($("compare").checked); tell(); };
  $("target").onchange = (/** @type {any} */ e) => { state.target = e.target.value; };
  $("show").onchange = (/** @type {any} */ e) => { state.show = e.target.value; legend(); request(); app.moved(); };
  function compare(/** @type {boolean} */ on) {
    state.compare = on;
    $("compare").checked = on;
    state.target = on ? "b" : "a";
    if (!on) state.show = "a";
    if (on && !sides.b.from) pick("b", 2);
    for (const name of ["second", "show", "target"]) $(name).hidden = !on;
    document.querySelector(".pads")?.classList.toggle("two", on);
    document.querySelectorAll("#target input, #show input").forEach((input) => { const i = /** @type {HTMLInputElement} */ (input); i.checked = i.value === (i.name === "show" ? state.show : state.target); });
    strips.forEach(({ item }) => { /** @type {HTMLElement} */ (item.lastChild).hidden = !on; });
    answers.forEach((row) => {
      row.classList.toggle("two", on);
      for (const part of [row.children[1].children[1], row.children[3]]) /** @type {HTMLElement} */ (part).hidden = !on;
    });
    put("a", sides.a.image, sides.a.from);
    legend();
  }
  function legend() {
    $("legend").textContent = state.show === "d" ? "Blue: stronger for the first image. Orange: stronger for the second. White: no difference."
      : "Dark blue is strong, white is nothing, after the ReLU. Point at a cell to see what it sees; click to keep it.";
  }
  $("layer").onchange = () => choose({ layer: Number($("layer").value), map: 0, row: 0, column: 0 }, true);
  for (const name of ["map", "row", "column"]) $(name === "map" ? "map" : `cell-${name}`).onchange = (/** @type {any} */ e) => choose({ [name]: Math.round(e.target.value) - 1 || 0 }, true);
  $("term").oninput = () => { state.term = Number($("term").value) - 1; request(); };
  const glass = /** @type {HTMLCanvasElement} */ ($("glass"));
  glass.onpointerdown = glass.onpointermove = (e) => {
    const { grid } = net.layers[state.layer], at = (/** @type {number} */ v) => Math.floor(v / glass.clientWidth * grid);
    choose({ row: at(e.offsetY), column: at(e.offsetX) }, e.type === "pointerdown");
  };
  glass.onkeydown = (e) => {
    const [dx, dy] = arrows(e);
    if (dx || dy) { e.preventDefault(); choose({ row: state.row + dy, column: state.column + dx }, true); }
  };
  data.indices.forEach((/** @type {number} */ index, /** @type {number} */ k) => {
    const button = Object.assign(document.createElement("button"), { type: "button", title: title(k), tabIndex: k ? -1 : 0 });
    button.setAttribute("aria-label", title(k));
    button.onclick = () => { pick(target(), index); tell(); };
    button.onkeydown = (e) => {
      const [dx, dy] = arrows(e), next = $("gallery").children[k + dx + 10 * dy];
      if ((dx || dy) && next) { e.preventDefault(); button.tabIndex = -1; next.tabIndex = 0; next.focus(); }
    };
    $("gallery").append(button);
  });
  /** The gallery's pictures, which can wait for the first frame. */
  function hang() {
    const sprite = document.createElement("canvas"), tile = document.createElement("canvas");
    sprite.width = sprite.height = 280;
    for (let k = 0; k < data.indices.length; k++) {
      paintMap(Object.assign(tile, { width: 28, height: 28 }), pictures.subarray(784 * k, 784 * k + 784), 28, 0, 255, INK);
      sprite.getContext("2d")?.drawImage(tile, 0, 0, tile.width, tile.height, k % 10 * 28, Math.floor(k / 10) * 28, 28, 28);
    }
    const address = `url(${sprite.toDataURL()})`;
    [...$("gallery").children].forEach((button, k) => Object.assign(button.style, {
      backgroundImage: address, backgroundPosition: `${k % 10 / 9 * 100}% ${Math.floor(k / 10) / 9 * 100}%`,
    }));
  }
  requestAnimationFrame(() => setTimeout(hang));

  // Addresses ---------------------------------------------------------------------------------------------------
  const code = (/** @type {Uint8Array} */ image) => btoa(String.fromCharCode(...image)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  /** @param {"a"|"b"} key @param {string|null} value @param {number} fallback */
  function restore(key, value, fallback) {
    if (value && value.length > 99) {
      try {
        const image = bytes(value.replaceAll("-", "+").replaceAll("_", "/"));
        if (image.length === 784) return put(key, image, "your drawing");
      } catch { /* said below */ }
      app.warn("The drawing in this address is damaged, so a test image stands in its place.");
    } else if (value && !pick(key, Number(value))) app.warn(`This page has no test image ${value}; it has ${data.indices.length} others.`);
    if (!value || !sides[key].from) pick(key, fallback);
  }
  return {
    net, sides, frames: /** @type {number[]} */ (frames), update, get ready() { return drawn; },
    /** @param {URLSearchParams} asked */
    open(asked) {
      restore("a", asked.get("image"), data.indices[90]);
      restore("b", asked.get("with"), data.indices[20]);
      state.show = ["a", "b", "d"].includes(asked.get("show") || "") ? asked.get("show") || "a" : "a";
      compare(asked.has("with"));
      const name = asked.get("layer") || "conv3_1", layer = net.layers.findIndex((l) => l.name === name);
      if (layer < 0) app.warn(`There is no layer ${name} here; there are ${net.layers.map((l) => l.name).join(", ")}.`);
      const number = (/** @type {string} */ key, standard = 0) => (Number(asked.get(key)) || standard + 1) - 1;
      choose({ layer: layer < 0 ? 3 : layer, map: number("map"), row: number("row", 3), column: number("column", 3) });
    },
    address() {
      const word = (/** @type {Side} */ side) => { const m = /test image (\d+)$/.exec(side.from); return m ? m[1] : code(side.image); };
      return `image=${word(sides.a)}${state.compare ? `&with=${word(sides.b)}&show=${state.show}` : ""}&layer=${net.layers[state.layer].name}&map=${state.map + 1}&row=${state.row + 1}&column=${state.column + 1}`;
    },
    redraw: request,
  };
}
/** @type {number[]} how long each frame took to compute and draw, in milliseconds */
const frames = [];
