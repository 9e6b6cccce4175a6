// Drawing on canvas: garments dark on light as in print, maps in blue, differences in blue and orange.

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);
/** A colour of the page. @param {string} name */
export const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** 256 pixels (ABGR) between colours. @param {...number[]} stops */
function ramp(...stops) {
  const result = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const place = i / 255 * (stops.length - 1), k = Math.min(stops.length - 2, Math.floor(place)), t = place - k;
    const [r, g, b] = stops[k].map((v, c) => Math.round(v + (stops[k + 1][c] - v) * t));
    result[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return result;
}
export const INK = ramp([255, 255, 255], [17, 17, 17]);
export const BLUES = ramp([250, 252, 254], [86, 180, 233], [0, 114, 178], [0, 38, 66]);
export const BOTH = ramp([150, 62, 0], [213, 94, 0], [255, 255, 255], [0, 114, 178], [0, 58, 96]);

/** A canvas at the screen's resolution; draw in CSS pixels. @param {HTMLCanvasElement} canvas
 * @returns {{c: CanvasRenderingContext2D, w: number, h: number}} */
export function fit(canvas) {
  const w = canvas.clientWidth, h = canvas.clientHeight, scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(w * scale)) canvas.width = Math.round(w * scale);
  if (canvas.height !== Math.round(h * scale)) canvas.height = Math.round(h * scale);
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  c.setTransform(scale, 0, 0, scale, 0, 0);
  c.clearRect(0, 0, w, h);
  c.font = "13px system-ui, sans-serif";
  return { c, w, h };
}

/** Square maps in a grid, each value a square of `cell` pixels. @typedef {{maps: number, side: number, cell: number, slot: number, across: number}} Tiling */
/** How a layer's maps lie in a strip 1,088 pixels wide: where the grid halves, so do the maps.
 * @param {import("./net.js").Layer} layer @returns {Tiling} */
export function tiling({ to, grid, kind }) {
  const slot = kind === "fc" ? 8 : kind === "conv" ? { 32: 68, 16: 68, 8: 34, 4: 34 }[grid] || 17 : { 16: 34, 8: 34 }[grid] || 17;
  const across = { 16: 16, 32: 32, 64: 32, 128: slot === 34 ? 32 : 64, 512: 128 }[to] || to;
  const room = slot - (slot > 34 ? 4 : slot > 17 ? 2 : 1);
  return { maps: to, side: grid, cell: Math.floor(room / grid), slot, across: kind === "pool" && grid === 4 ? 64 : slot === 68 ? 16 : across };
}

/** @param {CanvasRenderingContext2D} context @param {ImageData} picture @param {Tiling} tiles
 * @param {ArrayLike<number>} values @param {number} low @param {number} high @param {Uint32Array} shades */
export function paintTiles(context, picture, { maps, side, cell, slot, across }, values, low, high, shades) {
  const pixels = new Uint32Array(picture.data.buffer), wide = picture.width, scale = 255 / (high - low || 1);
  for (let m = 0, at = 0; m < maps; m++) {
    const corner = Math.floor(m / across) * slot * wide + (m % across) * slot;
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const v = (values[at++] - low) * scale, shade = shades[v < 0 ? 0 : v > 255 ? 255 : v | 0];
        let p = corner + y * cell * wide + x * cell;
        for (let j = 0; j < cell; j++, p += wide) pixels.fill(shade, p, p + cell);
      }
  }
  context.putImageData(picture, 0, 0);
}

/** One map, as large as the canvas is. @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} values @param {number} side
 * @param {number} low @param {number} high @param {Uint32Array} shades */
export function paintMap(canvas, values, side, low, high, shades) {
  const cell = Math.max(1, Math.round(canvas.clientWidth * (window.devicePixelRatio || 1) / side)) || 8;
  if (canvas.width !== side * cell) canvas.width = canvas.height = side * cell;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  paintTiles(context, context.createImageData(canvas.width, canvas.height), { maps: 1, side, cell, slot: 0, across: 1 }, values, low, high, shades);
  return { context, cell };
}

/** A rectangle in two colours, so that it shows on light and on dark. @param {CanvasRenderingContext2D} c
 * @param {number} x @param {number} y @param {number} w @param {number} h @param {number} [line] */
export function frame(c, x, y, w, h, line = 3) {
  c.setLineDash([]);
  c.lineWidth = line + 2; c.strokeStyle = "#fff"; c.strokeRect(x, y, w, h);
  c.lineWidth = line; c.strokeStyle = "#d55e00"; c.strokeRect(x, y, w, h);
}

/** @typedef {{values: (number|null)[], at?: number[], color: string, dash?: number[], marker?: string, width?: number, label?: string}} Line */
/** Lines over a common axis; a logarithmic one where `log` is given. @param {HTMLCanvasElement} canvas
 * @param {{lines: Line[], low: number, high: number, log?: boolean, ticks: {at: number, label: string}[], names: {at: number, label: string}[],
 *   from: number, to: number, rule?: {at: number, label: string}, left?: number, slant?: boolean}} plot */
export function chart(canvas, { lines, low, high, log, ticks, names, from, to, rule, left = 52, slant = false }) {
  const { c, w, h } = fit(canvas), bottom = h - (slant ? 50 : 24), top = 12, right = w - 14;
  const scale = /** @param {number} v */ (v) => log ? Math.log10(v) : v;
  const Y = /** @param {number} v */ (v) => bottom - (scale(v) - scale(low)) / (scale(high) - scale(low)) * (bottom - top);
  const X = /** @param {number} v */ (v) => left + (v - from) / (to - from || 1) * (right - left);
  c.textBaseline = "middle";
  for (const tick of ticks) {
    c.strokeStyle = color("line"); c.lineWidth = 1;
    c.beginPath(); c.moveTo(left, Y(tick.at)); c.lineTo(right, Y(tick.at)); c.stroke();
    c.fillStyle = color("soft"); c.textAlign = "right"; c.fillText(tick.label, left - 6, Y(tick.at));
  }
  c.fillStyle = color("soft"); c.textAlign = "center";
  for (const name of names) {
    c.save(); c.translate(X(name.at), bottom + (slant ? 8 : 14));
    if (slant) { c.rotate(-Math.PI / 4); c.textAlign = "right"; } else if (name.at === to) c.textAlign = "right";
    c.fillText(name.label, 0, 0); c.restore();
  }
  if (rule) {
    c.strokeStyle = color("text"); c.setLineDash([5, 4]); c.lineWidth = 1.5;
    c.beginPath(); c.moveTo(left, Y(rule.at)); c.lineTo(right, Y(rule.at)); c.stroke(); c.setLineDash([]);
    c.fillStyle = color("text"); c.textAlign = "right"; c.fillText(rule.label, right, Y(rule.at) + 12);
  }
  for (const { values, at, color: stroke, dash = [], marker, width = 2.5, label } of lines) {
    c.strokeStyle = c.fillStyle = stroke; c.lineWidth = width; c.setLineDash(dash); c.beginPath();
    let last = [left, top];
    values.forEach((v, i) => {
      if (v === null || !(v > 0 || !log)) return;
      const x = X(at ? at[i] : i), y = Math.max(top - 6, Math.min(bottom, Y(v)));
      i && last[0] !== left - 1 ? c.lineTo(x, y) : c.moveTo(x, y);
      last = [x, y];
    });
    c.stroke(); c.setLineDash([]);
    if (marker) values.forEach((v, i) => {
      if (!v || v <= 0) return;
      const x = X(at ? at[i] : i), y = Math.max(top - 6, Math.min(bottom, Y(v)));
      c.beginPath();
      if (marker === "square") c.rect(x - 4, y - 4, 8, 8); else c.arc(x, y, 4.5, 0, 7);
      c.fill();
    });
    if (label) { c.textAlign = last[0] > w * 0.6 ? "right" : "left"; c.fillText(label, last[0], Math.max(top + 2, last[1] - 14)); }
  }
  return { X, Y, left, right };
}
