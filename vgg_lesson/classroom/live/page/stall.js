// Stall: two garments through a fresh network, and what is left of their difference; then two recorded trainings.
import { build, bytes, DEPTHS, forward, initialise, INITS, room, settle, softmax, spread, strength, toInput } from "./net.js";
import { $, BLUES, chart, color, fit, INK, paintMap } from "./paint.js";

const CHANCE = Math.log(10), STILL = matchMedia("(prefers-reduced-motion: reduce)");
/** @typedef {{name: string, spread: number, strength: number}} Point the pair after one layer with weights and its ReLU */

/** A fresh class network, as `pair_signal` builds it. @param {any} data @param {{depth: number, init: string, norm: boolean, seed: number}} wanted */
export function fresh(data, { depth, init, norm, seed }) {
  const net = build({ ...data.network, depth, batch_norm: norm, hidden: 1024 });
  initialise(net, init, seed);
  return net;
}

/** The pair's way through a network: every layer with weights, the input first. @param {import("./net.js").Network} net
 * @param {Float32Array[]} inputs two of them @returns {{points: Point[], outs: Float32Array[][]}} */
export function follow(net, inputs) {
  const outs = inputs.map((input) => forward(net, input, room(net)));
  const point = (/** @type {string} */ name, /** @type {Float32Array} */ a, /** @type {Float32Array} */ b) => ({ name, spread: spread(a, b), strength: strength(a, b) });
  const points = net.layers.flatMap((l, i) => l.kind === "pool" ? [] : [point(l.name, outs[0][i], outs[1][i])]);
  return { points: [point("input", inputs[0], inputs[1]), ...points], outs };
}

/** Ten to the power of e. @param {number} e */
const power = (e) => e === 0 ? "1" : e === 1 ? "10" : "10" + [...String(e)].map((d) => d === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(d)]).join("");
/** Two digits of a number of any size. @param {number} v */
function short(v) {
  if (v === 0 || (v >= 0.01 && v < 1e7)) return Number(v.toPrecision(2)).toLocaleString("en", { maximumFractionDigits: 4 });
  const [digits, exponent] = v.toExponential(1).split("e");
  return `${digits} · ${power(Number(exponent))}`;
}

/** The same in words, as far as they go. @param {number} v */
const words = (v) => v < 1e6 || v > 9e14 ? short(v) : Number(v.toPrecision(2)).toLocaleString("en", { notation: "compact", compactDisplay: "long" }).replace(" ", "-");

/** @param {import("./see.js").App} app */
export function stall(app) {
  const { data } = app, pictures = bytes(data.images), reference = bytes(data.reference);
  const image = (/** @type {Uint8Array} */ all, /** @type {number} */ k) => all.subarray(784 * k, 784 * k + 784);
  const input = (/** @type {Uint8Array} */ all, /** @type {number} */ k) => toInput(image(all, k), data.mean, data.std);
  const state = { depth: 11, init: "default", norm: false, seed: 0, a: data.indices[90], b: data.indices[20], step: 300 };
  /** @type {Point[]} */ let points = [];
  /** @type {Point[]} */ let before = [];
  /** @type {{net: import("./net.js").Network, outs: Float32Array[][]}|null} */ let shown = null;
  let turn = 0, playing = 0;
  const place = (/** @type {number} */ index) => data.indices.indexOf(index);
  const name = (/** @type {number} */ index) => data.classes[data.labels[place(index)]];
  const radios = (/** @type {string} */ group, /** @type {[string, string][]} */ choices) => choices.map(([value, label]) => `<label><input type="radio" name="${group}" value="${value}">${label}</label>`).join("");
  $("depths").innerHTML = radios("depth", Object.keys(DEPTHS).map((d) => [d, d]));
  $("inits").innerHTML = radios("init", Object.entries(INITS));
  for (const key of ["a", "b"]) $(`garment-${key}`).innerHTML = data.indices.map((/** @type {number} */ i, /** @type {number} */ k) => k % 10 > 2 ? "" : `<option value="${i}">${name(i)} ${k % 10 + 1}</option>`).join("");

  /** Draw new weights and send the pair through, letting the page breathe between layers. */
  async function run() {
    const mine = ++turn;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    if (mine !== turn) return;
    const net = fresh(data, state);
    if (state.norm) {
      let at = performance.now();
      for (const _ of settle(net, Array.from({ length: reference.length / 784 }, (_, k) => input(reference, k)))) {
        if (performance.now() - at < 30) continue;
        $("finding").textContent = "Batch norm measures sixteen other images …";
        await new Promise((done) => setTimeout(done));
        if (mine !== turn) return;
        at = performance.now();
      }
    }
    const followed = follow(net, [input(pictures, place(state.a)), input(pictures, place(state.b))]);
    if (points.length) before = points;
    points = followed.points;
    shown = { net, outs: followed.outs };
    draw();
    app.say(`${$("finding").textContent} ${$("loss").textContent}`);
  }

  function draw() {
    if (!shown) return;
    const first = points[0].spread, end = points[points.length - 1], ratio = end.spread / first;
    const [a, b] = shown.outs.map((out) => out[out.length - 1]), gap = a.reduce((most, v, k) => Math.max(most, Math.abs(v - b[k])), 0);
    $("finding").textContent = !Number.isFinite(gap) ? "The signal grows past all numbers." : gap === 0 ? "Nothing of the difference is left: the ten scores are the same to the last digit."
      : ratio < 0.01 ? `The difference shrinks ${words(1 / ratio)}-fold on its way through ${state.depth} layers. The network can hardly tell the two apart.`
      : ratio > 100 ? `The difference grows ${words(ratio)}-fold: the scores explode before the first step.`
      : `The difference holds: it arrives ${ratio < 1 ? `${short(1 / ratio)} times smaller` : `${short(ratio)} times larger`}. A gradient has something to work with.`;
    const all = [...points, ...before].flatMap((p) => [p.spread, p.strength]).filter((v) => v > 0 && Number.isFinite(v));
    const low = Math.floor(Math.log10(Math.max(1e-24, Math.min(1e-3, ...all)))), high = Math.ceil(Math.log10(Math.max(10, ...all)));
    const every = Math.ceil((high - low) / 7), decades = Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => high - i * every);
    const count = points.length - 1, stretched = before.map((_, i) => i / (before.length - 1) * count);
    chart($("curve"), { log: true, low: 10 ** low, high: 10 ** high, from: 0, to: count, slant: true,
      ticks: decades.map((d) => ({ at: 10 ** d, label: power(d) })),
      names: points.map((p, i) => ({ at: i, label: p.name.replace("conv", "") })).filter((_, i) => count < 14 || $("curve").clientWidth > 480 || i % 2 === 0),
      lines: [{ values: before.map((p) => p.spread), at: stretched, color: color("a"), width: 1.5, dash: [2, 3] },
        { values: points.map((p) => p.strength), color: color("grey"), dash: [7, 4], marker: "square", width: 1.8 },
        { values: points.map((p) => p.spread), color: color("a"), marker: "dot", width: 3 }] });
    $("curve").setAttribute("aria-label", `The difference between the two garments after each layer: ${points.map((p) => `${p.name} ${short(p.spread)}`).join(", ")}.`);
    twins();
    for (const key of /** @type {("a"|"b")[]} */ (["a", "b"])) {
      paintMap($(`pair-${key}`), image(pictures, place(state[key])), 28, 0, 255, INK);
      $(`pair-${key}`).setAttribute("aria-label", `${key === "a" ? "First" : "Second"} garment: ${name(state[key])}`);
    }
    scores(a, b);
  }

  /** Both garments in the same map of each layer, on one scale: once they look alike, they are alike. */
  function twins() {
    if (!shown) return;
    const { net, outs } = shown, canvas = $("twins"), layers = net.layers.map((l, i) => ({ l, i })).filter(({ l }) => l.kind === "conv"), columns = layers.length + 1;
    canvas.style.width = `max(${columns * 36}px, 100%)`;
    const tile = document.createElement("canvas"), pitch = Math.min(74, canvas.clientWidth / columns), size = Math.min(64, pitch - 4);
    canvas.style.height = `${2 * size + 30}px`;
    const { c } = fit(canvas);
    c.imageSmoothingEnabled = false;
    c.textAlign = "center";
    const put = (/** @type {ArrayLike<number>} */ values, /** @type {number} */ side, /** @type {number} */ column, /** @type {number} */ row, /** @type {number} */ high, /** @type {Uint32Array} */ shades) => {
      tile.width = tile.height = side;
      paintMap(tile, values, side, 0, high, shades);
      c.drawImage(tile, column * pitch, row * (size + 4), size, size);
    };
    [state.a, state.b].forEach((index, row) => put(image(pictures, place(index)), 28, 0, row, 255, INK));
    c.fillStyle = color("soft");
    layers.forEach(({ l, i }, n) => {
      const area = l.grid ** 2, map = (/** @type {Float32Array} */ out, /** @type {number} */ m) => out.subarray(m * area, (m + 1) * area);
      const apart = Array.from({ length: l.to }, (_, m) => spread(map(outs[0][i], m), map(outs[1][i], m))), m = apart.indexOf(Math.max(...apart));
      const high = Math.max(...outs.flatMap((out) => [...map(out[i], m)]));
      outs.forEach((out, row) => put(map(out[i], m), l.grid, n + 1, row, high, BLUES));
      c.fillText(l.name.replace("conv", ""), (n + 1) * pitch + size / 2, 2 * size + 20);
    });
  }

  /** @param {Float32Array} a @param {Float32Array} b */
  function scores(a, b) {
    const digits = Math.max(...a, ...b) > 999 ? 0 : 6;
    const cells = (/** @type {number} */ v, /** @type {number} */ other) => {
      const text = v.toFixed(digits).replace("-", "−"), reference = other.toFixed(digits).replace("-", "−");
      let k = 0;
      while (k < text.length && text[k] === reference[k] && text.length === reference.length) k++;
      return text.length > 14 ? `<td>${short(Math.abs(v))}</td>` : `<td><span class="same">${text.slice(0, k)}</span><span class="${k < text.length ? "differ" : ""}">${text.slice(k)}</span></td>`;
    };
    $("scores").innerHTML = `<thead><tr><th>class</th><th><span class="a">first</span></th><th><span class="b">second</span></th></tr></thead><tbody>` +
      data.classes.map((/** @type {string} */ c, /** @type {number} */ k) => `<tr><td>${c}</td>${cells(a[k], b[k])}${cells(b[k], a[k])}</tr>`).join("") + "</tbody>";
    const loss = ([a, b]).reduce((sum, s, k) => sum - Math.log(softmax(s)[data.labels[place(k ? state.b : state.a)]]) / 2, 0);
    $("loss").innerHTML = `Loss of the two: <b>${Number.isFinite(loss) ? loss > 999 ? short(loss) : loss.toFixed(5) : "past all numbers"}</b><br>Guessing among ten: ln 10 = <b>${CHANCE.toFixed(5)}</b>` +
      `<span class="gauge"><i style="width:${Math.min(100, loss / 2 / CHANCE * 100) || 100}%"></i><u style="left:50%"></u></span>` +
      `<span class="soft">Bold digits are where the two columns part${loss > 2 * CHANCE ? "; the bar is longer than it has room" : ""}.${a.every((v, k) => v.toFixed(6) === b[k].toFixed(6)) ? " To six decimals they are the same." : ""}</span>`;
  }

  // The recordings ----------------------------------------------------------------------------------------------
  const { stalled, freed } = data.recordings;
  function film() {
    const to = state.step, zoom = to <= 300 ? 300 : 3000;
    const part = (/** @type {{losses: [number, number][]}} */ run) => run.losses.filter(([step]) => step <= to);
    const line = (/** @type {{losses: [number, number][]}} */ run) => ({ at: part(run).map(([s]) => s), values: part(run).map(([, v]) => v) });
    chart($("film"), { low: 0, high: 3, from: 0, to: zoom, left: 40, rule: { at: CHANCE, label: "ln 10: guessing" },
      ticks: [0, 1, 2, 3].map((v) => ({ at: v, label: `${v}` })), names: [0, 1, 2, 3].map((k) => ({ at: zoom * k / 3, label: k ? `${(zoom * k / 3).toLocaleString("en")}` : "step 0" })),
      lines: [{ ...line(stalled), color: color("b"), dash: [6, 3], label: "PyTorch’s default" }, { ...line(freed), color: color("a"), label: "He" }] });
    const value = (/** @type {any} */ run) => part(run).at(-1)?.[1].toFixed(3) ?? "";
    $("at").textContent = `step ${to.toLocaleString("en")}: default ${value(stalled)}, He ${value(freed)}${to > 300 ? " (its last, at step 300)" : ""}`;
    $("moment").value = to;
    const shares = (/** @type {any} */ run) => `${(100 * run.accuracies.at(-1)[1]).toFixed(1)}%`;
    $("about").textContent = `Recordings of training in PyTorch, played back: nothing is trained in this page. Both runs: ${stalled.about.replace(/\. Made by.*/s, "").replace(/, init \w+/, "")}. ` +
      `Only the initial weights differ. Right at the end: He ${shares(freed)} of the test images after 300 steps, the default ${shares(stalled)} after 3,000.`;
  }
  function play() {
    if (playing) { clearInterval(playing); playing = 0; $("play").textContent = "Play"; return app.moved(); }
    if (STILL.matches) { state.step = state.step === 300 ? 3000 : 300; film(); return app.moved(); }
    if (state.step >= 3000 || state.step === 300) state.step = 10;
    $("play").textContent = "Pause";
    playing = window.setInterval(() => {
      state.step = Math.min(3000, state.step + (state.step < 300 ? 10 : 50));
      film();
      if (state.step >= 3000) play();
    }, 80);
  }
  $("play").onclick = play;
  $("moment").oninput = () => { state.step = Number($("moment").value); film(); app.moved(); };

  // Hands -------------------------------------------------------------------------------------------------------
  function read() {
    const checked = (/** @type {string} */ group) => /** @type {HTMLInputElement} */ (document.querySelector(`input[name=${group}]:checked`)).value;
    const seed = Number($("seed").value);
    if (!Number.isInteger(seed) || seed < 0 || seed > 9999) return app.warn(`A seed is a whole number from 0 to 9999, not ${$("seed").value || "nothing"}.`);
    app.warn("");
    Object.assign(state, { depth: Number(checked("depth")), init: checked("init"), norm: $("norm").checked, seed, a: Number($("garment-a").value), b: Number($("garment-b").value) });
    run();
    app.moved();
  }
  $("knobs").onchange = read;
  $("knobs").onsubmit = (/** @type {Event} */ e) => e.preventDefault();
  $("again").onclick = () => { $("seed").value = (state.seed + 1) % 10000; read(); };
  return {
    state, get points() { return points; },
    /** @param {URLSearchParams} asked */
    open(asked) {
      const one = (/** @type {string} */ key, /** @type {(string|number)[]} */ choices, /** @type {any} */ standard) => {
        const value = asked.get(key);
        if (value === null || choices.map(String).includes(value)) return value ?? standard;
        app.warn(`${key}=${value} is unknown; choose one of ${choices.slice(0, 6).join(", ")}.`);
        return standard;
      };
      const listed = data.indices.filter((/** @type {number} */ _, /** @type {number} */ k) => k % 10 <= 2), seed = Number(asked.get("seed") ?? 0);
      Object.assign(state, { depth: Number(one("depth", Object.keys(DEPTHS), 11)), init: one("init", Object.keys(INITS), "default"), norm: asked.get("norm") === "1",
        seed: Number.isInteger(seed) && seed >= 0 && seed <= 9999 ? seed : 0, a: Number(one("first", listed, data.indices[90])), b: Number(one("second", listed, data.indices[20])),
        step: Math.max(10, Math.min(3000, Math.round(Number(asked.get("step")) / 10) * 10 || 300)) });
      for (const [group, value] of [["depth", state.depth], ["init", state.init]]) /** @type {HTMLInputElement} */ (document.querySelector(`input[name=${group}][value="${value}"]`)).checked = true;
      $("norm").checked = state.norm;
      Object.assign($("seed"), { value: state.seed });
      $("garment-a").value = state.a;
      $("garment-b").value = state.b;
      film();
      return run();
    },
    address: () => `init=${state.init}&depth=${state.depth}${state.norm ? "&norm=1" : ""}&seed=${state.seed}&first=${state.a}&second=${state.b}${state.step !== 300 ? `&step=${state.step}` : ""}`,
    redraw() { draw(); film(); },
  };
}
