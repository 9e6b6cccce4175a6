// The network: its layers, its weights, its forward pass. No page in here: plain arrays in, plain arrays out.

/**
 * @typedef {{gamma: Float32Array, beta: Float32Array, mean: Float32Array, variance: Float32Array}} Norm
 * @typedef {{name: string, kind: "conv"|"pool"|"fc", from: number, to: number, grid: number, relu: boolean,
 *   weight: Float32Array, bias: Float32Array, norm: Norm|null, packed: Float64Array, shift: Float64Array}} Layer
 * One layer: `from` inputs (channels, or features) and `to` outputs on a `grid`×`grid` map; `weight` is (to, from, 3, 3)
 * or (to, from). `packed` and `shift` are weight and bias with the batch norm folded in, as the forward pass reads them.
 * @typedef {{layers: Layer[], side: number}} Network
 * @typedef {{depth: number, in_channels: number, num_classes: number, image_size: number, width: number, hidden: number,
 *   batch_norm: boolean}} Settings
 */

/** Convolutions of each block, and channels: columns A, B, D and E of Table 1, arXiv:1409.1556. */
export const DEPTHS = { 11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4] };
export const CHANNELS = [64, 128, 256, 512, 512];
const EPS = 1e-5;

/** Python's round: a half goes to the even neighbour. @param {number} x */
export const round = (x) => { const r = Math.round(x); return r - x === 0.5 && r % 2 ? r - 1 : r; };
/** @param {number} channels @param {number} width */
export const scaled = (channels, width) => Math.max(1, round(width * channels));

/** An empty network. @param {Settings} settings @returns {Network} */
export function build(settings) {
  /** @type {Layer[]} */
  const layers = [];
  /** @type {(kind: Layer["kind"], name: string, from: number, to: number, grid: number, relu?: boolean) => void} */
  const add = (kind, name, from, to, grid, relu = true) => {
    const taps = kind === "conv" ? 9 : kind === "fc" ? 1 : 0, units = taps ? to : 0;
    const ones = () => new Float32Array(to).fill(1);
    layers.push({ name, kind, from, to, grid, relu, weight: new Float32Array(taps * from * to), bias: new Float32Array(units),
      norm: kind === "conv" && settings.batch_norm ?
        { gamma: ones(), beta: new Float32Array(to), mean: new Float32Array(to), variance: ones() } : null,
      packed: new Float64Array(taps * from * to), shift: new Float64Array(units) });
  };
  let from = settings.in_channels, grid = settings.image_size;
  DEPTHS[/** @type {11} */ (settings.depth)].forEach((count, block) => {
    for (let i = 1; i <= count; i++) {
      const to = scaled(CHANNELS[block], settings.width);
      add("conv", `conv${block + 1}_${i}`, from, to, grid);
      from = to;
    }
    grid >>= 1;
    add("pool", `pool${block + 1}`, from, from, grid, false);
  });
  add("fc", "fc6", from * grid * grid, settings.hidden, 1);
  add("fc", "fc7", settings.hidden, settings.hidden, 1);
  add("fc", "fc8", settings.hidden, settings.num_classes, 1, false);
  return { layers, side: settings.image_size };
}

/** The bytes behind base64. @param {string} text @returns {Uint8Array} */
export function bytes(text) {
  const raw = atob(text.trim()), result = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) result[i] = raw.charCodeAt(i);
  return result;
}

/** Little-endian half-precision numbers as floats. @param {Uint8Array} raw @returns {Float32Array} */
export function halves(raw) {
  const result = new Float32Array(raw.length >> 1), powers = Float64Array.from({ length: 32 }, (_, e) => 2 ** (e - 25));
  for (let i = 0; i < result.length; i++) {
    const h = raw[2 * i] | (raw[2 * i + 1] << 8), e = (h >> 10) & 31, m = h & 1023, sign = h & 0x8000 ? -1 : 1;
    result[i] = sign * (e === 0 ? m * powers[1] : e === 31 ? (m ? NaN : Infinity) : (1024 + m) * powers[e]);
  }
  return result;
}

/** Fill a network from a file in the state dict's order; throws if the file is another's. @param {Network} net @param {Float32Array} values */
export function load(net, values) {
  const parts = net.layers.filter((l) => l.kind !== "pool").flatMap((l) =>
    [l.weight, l.bias, ...(l.norm ? [l.norm.gamma, l.norm.beta, l.norm.mean, l.norm.variance] : [])]);
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  if (values.length !== count)
    throw new Error(`The weights on this page are damaged: ${values.length.toLocaleString("en")} numbers where ` +
      `${count.toLocaleString("en")} belong. Get the page again.`);
  if (!values.every(Number.isFinite)) throw new Error("The weights on this page are damaged: some are no numbers. Get the page again.");
  let at = 0;
  for (const part of parts) { part.set(values.subarray(at, at + part.length)); at += part.length; }
  net.layers.forEach(fold);
}

/** Multiply the batch norm into weight and bias, and lay weights out in fours of outputs. @param {Layer} layer */
export function fold(layer) {
  const { from, to, weight, bias, norm, packed, shift } = layer, taps = layer.kind === "conv" ? 9 : 1, row = from * taps;
  if (layer.kind === "pool") return;
  for (let o = 0; o < to; o++) {
    const scale = norm ? norm.gamma[o] / Math.sqrt(norm.variance[o] + EPS) : 1;
    shift[o] = norm ? norm.beta[o] + (bias[o] - norm.mean[o]) * scale : bias[o];
    const fours = layer.kind === "conv", base = fours ? (o >> 2) * row * 4 + (o & 3) : o * row;
    for (let i = 0; i < row; i++) packed[base + i * (fours ? 4 : 1)] = weight[o * row + i] * scale;
  }
}

const padded = new Float64Array(1 << 20);
/** A map with a rim of zeros, in `padded`. @param {Float32Array} input @param {number} channels @param {number} grid */
function pad(input, channels, grid) {
  const wide = grid + 2;
  padded.fill(0, 0, channels * wide * wide);
  for (let c = 0, from = 0; c < channels; c++)
    for (let y = 0; y < grid; y++)
      for (let x = 0, to = (c * wide + y + 1) * wide + 1; x < grid; x++) padded[to++] = input[from++];
}

/** Four outputs at once, so that each input is read once for four. @param {Layer} layer @param {Float32Array} input @param {Float32Array} out */
function convolve(layer, input, out) {
  const { from, to, grid, packed: w, shift, relu } = layer, wide = grid + 2, area = grid * grid, p = padded;
  pad(input, from, grid);
  for (let o = 0; o < to; o += 4)
    for (let y = 0; y < grid; y++)
      for (let x = 0; x < grid; x++) {
        let a = shift[o], b = shift[o + 1], c = shift[o + 2], d = shift[o + 3];
        for (let k = 0, i = y * wide + x, j = o * from * 9; k < from; k++, i += wide * wide)
          for (let r = i, last = i + 3 * wide; r < last; r += wide, j += 12) {
            const u = p[r], v = p[r + 1], z = p[r + 2];
            a += u * w[j] + v * w[j + 4] + z * w[j + 8];
            b += u * w[j + 1] + v * w[j + 5] + z * w[j + 9];
            c += u * w[j + 2] + v * w[j + 6] + z * w[j + 10];
            d += u * w[j + 3] + v * w[j + 7] + z * w[j + 11];
          }
        const at = o * area + y * grid + x;
        out[at] = relu && a < 0 ? 0 : a;
        out[at + area] = relu && b < 0 ? 0 : b;
        out[at + 2 * area] = relu && c < 0 ? 0 : c;
        out[at + 3 * area] = relu && d < 0 ? 0 : d;
      }
}

/** @param {Layer} layer @param {Float32Array} input @param {Float32Array} out */
function connect(layer, input, out) {
  const { from, to, packed: w, shift, relu } = layer;
  for (let o = 0, j = 0; o < to; o++) {
    let sum = shift[o];
    for (let i = 0; i < from; i++) sum += input[i] * w[j++];
    out[o] = relu && sum < 0 ? 0 : sum;
  }
}

/** @param {Layer} layer @param {Float32Array} input @param {Float32Array} out */
function pool({ to, grid }, input, out) {
  for (let c = 0, at = 0; c < to; c++)
    for (let y = 0; y < grid; y++)
      for (let x = 0; x < grid; x++) {
        const i = (c * 2 * grid + 2 * y) * 2 * grid + 2 * x, j = i + 2 * grid;
        out[at++] = Math.max(input[i], input[i + 1], input[j], input[j + 1]);
      }
}

/** Room for what every layer gives. @param {Network} net @returns {Float32Array[]} */
export const room = (net) => net.layers.map((l) => new Float32Array(l.to * l.grid * l.grid));
/** One layer. @param {Layer} layer @param {Float32Array} input @param {Float32Array} out */
export const step = (layer, input, out) => (layer.kind === "conv" ? convolve : layer.kind === "pool" ? pool : connect)(layer, input, out);
/** What every layer gives for an input (channels, side, side). @param {Network} net @param {Float32Array} input @param {Float32Array[]} out */
export function forward(net, input, out) {
  net.layers.forEach((layer, i) => step(layer, i ? out[i - 1] : input, out[i]));
  return out;
}

/** 28×28 bytes as the network's input: two pixels of black around, scaled and normalised as in training.
 * @param {Uint8Array} image @param {number} mean @param {number} std @param {Float32Array} [out] */
export function toInput(image, mean, std, out = new Float32Array(1024)) {
  out.fill(-mean / std);
  for (let y = 0; y < 28; y++) for (let x = 0; x < 28; x++) out[(y + 2) * 32 + x + 2] = (image[y * 28 + x] / 255 - mean) / std;
  return out;
}

/** @param {Float32Array} scores @returns {number[]} */
export function softmax(scores) {
  const top = Math.max(...scores), e = Array.from(scores, (s) => Math.exp(s - top)), sum = e.reduce((a, b) => a + b);
  return e.map((v) => v / sum);
}

/** How one cell comes about, in numbers that add up to it: one term per channel (convolution) or per input.
 * @param {Layer} layer @param {Float32Array} input @param {number} to @param {number} row @param {number} column */
export function explain(layer, input, to, row, column) {
  const { from, grid, weight, bias, norm } = layer;
  /** @type {{window: number[], kernel: number[], sum: number}[]} */
  const terms = [];
  for (let c = 0; c < (layer.kind === "pool" ? 1 : from); c++) {
    const window = /** @type {number[]} */ ([]), kernel = /** @type {number[]} */ ([]);
    if (layer.kind === "fc") { window.push(input[c]); kernel.push(weight[to * from + c]); }
    else if (layer.kind === "pool")
      for (let k = 0; k < 4; k++) { window.push(input[(to * 2 * grid + 2 * row + (k >> 1)) * 2 * grid + 2 * column + (k & 1)]); kernel.push(1); }
    else
      for (let k = 0; k < 9; k++) {
        const y = row + Math.floor(k / 3) - 1, x = column + (k % 3) - 1, inside = y >= 0 && x >= 0 && y < grid && x < grid;
        window.push(inside ? input[(c * grid + y) * grid + x] : 0);
        kernel.push(weight[(to * from + c) * 9 + k]);
      }
    terms.push({ window, kernel, sum: window.reduce((s, v, k) => s + v * kernel[k], 0) });
  }
  if (layer.kind === "pool") return { terms, sum: 0, bias: 0, biased: 0, normed: 0, out: Math.max(...terms[0].window) };
  const sum = terms.reduce((s, t) => s + t.sum, 0), biased = sum + bias[to];
  const normed = norm ? (biased - norm.mean[to]) / Math.sqrt(norm.variance[to] + EPS) * norm.gamma[to] + norm.beta[to] : biased;
  return { terms, sum, bias: bias[to], biased, normed, out: layer.relu ? Math.max(0, normed) : normed };
}

/** Random numbers in [0, 1), the same for the same seed (mulberry32). @param {number} seed */
export function random(seed) {
  let a = Math.imul(seed + 1, 0x9e3779b9);
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The rules from which fresh weights are drawn. */
export const INITS = { default: "PyTorch’s default", xavier: "Xavier", he: "He", "std0.1": "std 0.1", "std0.01": "std 0.01" };

/** Draw all weights anew, as PyTorch's rules do (not its numbers). @param {Network} net @param {string} init @param {number} seed */
export function initialise(net, init, seed) {
  const uniform = random(seed);
  /** @param {Float32Array} values @param {number} bound */
  const even = (values, bound) => { for (let i = 0; i < values.length; i++) values[i] = (2 * uniform() - 1) * bound; };
  /** @param {Float32Array} values @param {number} std */
  const normal = (values, std) => {
    for (let i = 0; i < values.length; i += 2) {
      const r = std * Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform();
      values[i] = r * Math.cos(angle);
      if (i + 1 < values.length) values[i + 1] = r * Math.sin(angle);
    }
  };
  for (const layer of net.layers.filter((l) => l.kind !== "pool")) {
    const taps = layer.kind === "conv" ? 9 : 1, into = layer.from * taps;
    layer.bias.fill(0);
    if (init === "default") { even(layer.weight, 1 / Math.sqrt(into)); even(layer.bias, 1 / Math.sqrt(into)); }
    else if (init === "xavier") even(layer.weight, Math.sqrt(6 / (into + layer.to * taps)));
    else normal(layer.weight, init === "he" ? Math.sqrt(2 / into) : Number(init.slice(3)));
    if (layer.norm) { layer.norm.mean.fill(0); layer.norm.variance.fill(1); }
    fold(layer);
  }
}

/** Send inputs through layer by layer; batch norm first learns what these inputs give it, as at the start of training.
 * Yields after each layer, so that the page can breathe. @param {Network} net @param {Float32Array[]} inputs */
export function* settle(net, inputs) {
  let values = inputs;
  for (const layer of net.layers) {
    const next = values.map(() => new Float32Array(layer.to * layer.grid * layer.grid)), { norm } = layer;
    if (norm) {
      norm.mean.fill(0); norm.variance.fill(1 - EPS); fold(layer); layer.relu = false;
      values.forEach((v, i) => step(layer, v, next[i]));
      layer.relu = true;
      const area = layer.grid ** 2, count = area * values.length;
      for (let c = 0; c < layer.to; c++) {
        let sum = 0, squares = 0;
        for (const v of next) for (let i = c * area; i < (c + 1) * area; i++) sum += v[i];
        for (const v of next) for (let i = c * area; i < (c + 1) * area; i++) squares += (v[i] - sum / count) ** 2;
        norm.mean[c] = sum / count;
        norm.variance[c] = squares / (count - 1);
        const scale = 1 / Math.sqrt(squares / count + EPS); // training divides by the biased variance, and keeps the other
        for (const v of next) for (let i = c * area; i < (c + 1) * area; i++) v[i] = Math.max(0, (v[i] - sum / count) * scale);
      }
      fold(layer);
    } else values.forEach((v, i) => step(layer, v, next[i]));
    values = next;
    yield layer;
  }
}

/** Root mean square of half the difference: the spread between two images, as `pair_signal` measures it.
 * @param {Float32Array} a @param {Float32Array} b */
export function spread(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] - b[i]) / 2) ** 2;
  return Math.sqrt(sum / a.length);
}
/** Root mean square of both. @param {Float32Array} a @param {Float32Array} b */
export function strength(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ** 2 + b[i] ** 2) / 2;
  return Math.sqrt(sum / a.length);
}
