// Count: a VGG as blocks to scale, and the bill of every layer.
import { commas, mostOf, trace } from "./count.js";
import { DEPTHS } from "./net.js";
import { $, color, fit } from "./paint.js";

/** @type {Record<string, {label: string, value: (row: import("./count.js").Row) => number, unit: string}>} */
const MEASURES = {
  params: { label: "parameters", value: (r) => r.params, unit: "parameters" },
  macs: { label: "multiplications", value: (r) => r.macs, unit: "multiplications for one image" },
  memory: { label: "memory", value: (r) => ["batch_norm", "gap"].includes(r.kind) ? 0 : 4 * r.activations, unit: "bytes of layer outputs for one image" },
};
const WIDTHS = [0.125, 0.25, 0.5, 0.75, 1, 1.5, 2], SIDES = [32, 64, 96, 112, 128, 160, 192, 224, 256, 320], HIDDEN = [512, 1024, 2048, 4096];
/** @param {number} n */
const large = (n) => n >= 1e9 ? `${(n / 1e9).toFixed(2)} billion` : n >= 1e6 ? `${(n / 1e6).toFixed(1)} million` : commas(n);
/** @param {number} n */
const sized = (n) => n >= 1e6 ? `${(n / 1e6).toFixed(1)} MB` : n >= 1e3 ? `${(n / 1e3).toFixed(1)} kB` : `${n} B`;

/** @param {import("./see.js").App} app */
export function counting(app) {
  const state = { depth: 11, width: 1, image_size: 224, in_channels: 3, hidden: 4096, num_classes: 1000, head: "fc", batch_norm: false, by: "params" };
  const options = (/** @type {number[]} */ values, /** @type {(v: number) => string} */ label) => values.map((v) => `<option value="${v}">${label(v)}</option>`).join("");
  $("width").innerHTML = options(WIDTHS, (v) => ({ 0.125: "⅛", 0.25: "¼", 0.5: "½", 0.75: "¾", 1.5: "1½" })[v] || `${v}`);
  $("side").innerHTML = options(SIDES, (v) => `${v}×${v}`);
  $("hidden").innerHTML = options(HIDDEN, commas);
  $("count-depths").innerHTML = Object.keys(DEPTHS).map((d) => `<label><input type="radio" name="count-depth" value="${d}">${d}</label>`).join("");
  $("measures").innerHTML = Object.entries(MEASURES).map(([key, m]) => `<label><input type="radio" name="by" value="${key}">${m.label}</label>`).join("");

  function draw() {
    const rows = trace(state), measure = MEASURES[state.by], most = mostOf(rows, measure.value);
    $("count-finding").textContent = `${Math.round(100 * most.share)}% of the ${measure.label} ${most.names.length === 1 ? "sit in one layer: " : "sit in these layers: "}${most.names.join(", ")}.`;
    const total = (/** @type {string} */ key) => rows.reduce((sum, row) => sum + MEASURES[key].value(row), 0);
    $("totals").textContent = `${commas(total("params"))} parameters · ${large(total("macs"))} multiplications · ${sized(total("memory"))} of outputs, for one image`;
    blocks(rows.filter((r) => r.kind !== "batch_norm"), measure, most.names);
    const bar = (/** @type {number} */ v, /** @type {number} */ top) => `<i><u style="width:${(5 * v / top).toFixed(2)}em"></u></i>`;
    const tops = Object.keys(MEASURES).map((key) => Math.max(...rows.map(MEASURES[key].value)));
    $("bill").innerHTML = `<caption class="hidden">Every layer: output, parameters with the formula filled in, multiplications, memory, receptive field</caption><thead><tr><th scope="col">layer</th><th scope="col">output</th><th scope="col">how the parameters come about</th><th scope="col">parameters</th><th scope="col">multiplications</th><th scope="col">memory</th><th scope="col">sees</th></tr></thead><tbody>` +
      rows.map((r) => `<tr class="${most.names.includes(r.name) ? "most" : ""}"><td>${r.name}</td><td>${r.shape.join("×")}</td><td>${r.formula}</td>` +
        Object.keys(MEASURES).map((key, k) => { const v = MEASURES[key].value(r); return `<td>${v ? (key === "memory" ? sized(v) : commas(v)) : ""}${key === state.by ? bar(v, tops[k]) : ""}</td>`; }).join("") +
        `<td>${r.field ? `${r.field}×${r.field}` : ""}</td></tr>`).join("") +
      `<tr class="out"><td>total</td><td></td><td></td><td>${commas(total("params"))}</td><td>${commas(total("macs"))}</td><td>${sized(total("memory"))}</td><td></td></tr></tbody>`;
  }

  /** Every layer as a box, its side to scale, its thickness the square root of its channels; below each, its share.
   * @param {import("./count.js").Row[]} rows @param {typeof MEASURES[""]} measure @param {string[]} most */
  function blocks(rows, measure, most) {
    const { c, w, h } = fit($("blocks")), total = rows.reduce((sum, r) => sum + measure.value(r), 0), largest = rows[0].shape[1], tilt = 0.2, gap = 6;
    const floor = h - 132, roof = floor / (1 + tilt) - 6, foot = 70, sizes = rows.map((r) => r.shape.length > 1 ? Math.sqrt(r.shape[0]) : 5), sum = sizes.reduce((a, b) => a + b);
    const tall = (/** @type {import("./count.js").Row} */ r) => Math.max(4, r.shape.length > 1 ? r.shape[1] / largest * roof : Math.min(1, r.shape[0] / 4096) * roof);
    const room = (/** @type {import("./count.js").Row} */ r) => r.shape.length > 1 ? gap : 36;
    const deep = (/** @type {import("./count.js").Row} */ r) => r.shape.length > 1 ? tall(r) * tilt : 4, unit = (w - 30 - rows.reduce((s, r) => s + room(r) + deep(r) * 0.55, 0)) / sum;
    const highest = Math.max(...rows.map(measure.value));
    let x = 14, labelled = -99;
    c.textAlign = "center";
    rows.forEach((r, i) => {
      const thick = Math.max(4, unit * sizes[i]), height = tall(r), d = deep(r), y = floor - height, share = measure.value(r) / total, fill = color(most.includes(r.name) ? "b" : "a");
      const face = (/** @type {number[][]} */ corners, /** @type {number} */ strength) => {
        c.beginPath(); corners.forEach(([u, v], k) => k ? c.lineTo(u, v) : c.moveTo(u, v)); c.closePath();
        c.fillStyle = color("panel"); c.fill();
        c.globalAlpha = strength; c.fillStyle = r.kind === "pool" || r.kind === "input" ? color("grey") : fill; c.fill();
        c.globalAlpha = 1; c.strokeStyle = color("soft"); c.lineWidth = 1; c.stroke();
      };
      face([[x, y], [x + d, y - d], [x + thick + d, y - d], [x + thick, y]], 0.25);
      face([[x + thick, y], [x + thick + d, y - d], [x + thick + d, floor - d], [x + thick, floor]], 0.65);
      face([[x, y], [x + thick, y], [x + thick, floor], [x, floor]], 0.42);
      const middle = x + thick / 2, bar = Math.max(8, Math.min(34, thick));
      if (share) { c.fillStyle = fill; c.fillRect(middle - bar / 2, floor + 40, bar, Math.max(1.5, measure.value(r) / highest * foot)); }
      if (share > 0.03) { c.fillStyle = color("text"); c.fillText(`${Math.round(100 * share)}%`, middle, floor + 54 + measure.value(r) / highest * foot); }
      if (r.kind !== "pool" && middle - labelled > 32) {
        c.fillStyle = color("text"); c.fillText(r.name.replace("conv", "").replace("input", "in"), middle, floor + 16);
        c.fillStyle = color("soft"); c.fillText(commas(r.shape.length > 1 ? r.shape[1] : r.shape[0]), middle, floor + 32);
        labelled = middle;
      }
      x += thick + room(r) + d * 0.55;
    });
    $("blocks").setAttribute("aria-label", `The network as blocks to scale, coloured by ${measure.label}: ${rows.filter((r) => measure.value(r)).map((r) => `${r.name} ${Math.round(100 * measure.value(r) / rows.reduce((s, q) => s + measure.value(q), 0))}%`).join(", ")}.`);
  }

  function read() {
    const classes = Number($("classes").value), checked = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (document.querySelector(`input[name=${name}]:checked`)).value;
    if (!Number.isInteger(classes) || classes < 2 || classes > 100000) return app.warn(`Classes are a whole number from 2 to 100,000, not ${$("classes").value || "nothing"}.`);
    app.warn("");
    Object.assign(state, { depth: Number(checked("count-depth")), width: Number($("width").value), image_size: Number($("side").value), in_channels: Number($("channels").value),
      hidden: Number($("hidden").value), num_classes: classes, head: $("head").value, batch_norm: $("count-norm").checked, by: checked("by") });
    draw();
    app.say(`${$("count-finding").textContent} ${$("totals").textContent}`);
    app.moved();
  }
  $("count-part").onchange = read;
  $("count-knobs").onsubmit = (/** @type {Event} */ e) => e.preventDefault();
  return {
    /** @param {URLSearchParams} asked */
    open(asked) {
      const one = (/** @type {string} */ key, /** @type {(string|number)[]} */ choices, /** @type {string|number} */ standard) => {
        const value = asked.get(key), found = choices.find((choice) => String(choice) === value);
        if (value !== null && found === undefined) app.warn(`${key}=${value} is unknown; choose one of ${choices.join(", ")}.`);
        return found ?? standard;
      };
      const classes = Number(asked.get("classes") ?? 1000);
      Object.assign(state, { depth: Number(one("depth", Object.keys(DEPTHS), 11)), width: one("width", WIDTHS, 1), image_size: one("side", SIDES, 224), in_channels: one("channels", [1, 3], 3),
        hidden: one("hidden", HIDDEN, 4096), num_classes: Number.isInteger(classes) && classes > 1 && classes <= 100000 ? classes : 1000, head: one("head", ["fc", "gap"], "fc"),
        batch_norm: asked.get("norm") === "1", by: one("by", Object.keys(MEASURES), "params") });
      for (const [id, value] of Object.entries({ width: state.width, side: state.image_size, channels: state.in_channels, hidden: state.hidden, classes: state.num_classes, head: state.head })) $(id).value = value;
      $("count-norm").checked = state.batch_norm;
      for (const [name, value] of [["count-depth", state.depth], ["by", state.by]]) /** @type {HTMLInputElement} */ (document.querySelector(`input[name=${name}][value="${value}"]`)).checked = true;
      draw();
    },
    address: () => `depth=${state.depth}&width=${state.width}&side=${state.image_size}&channels=${state.in_channels}&hidden=${state.hidden}&classes=${state.num_classes}&head=${state.head}${state.batch_norm ? "&norm=1" : ""}&by=${state.by}`,
    redraw: draw,
  };
}
