// Any photo as a 28×28 garment, bright on black: the steps of vgg_lesson/data/pictures.py, pixel for pixel.

const MAX_BYTES = 20e6, MAX_PIXELS = 60e6, WORKING = 560, ROUGH = 140, STANDS_OUT = 26, HAZE = 13;
const FAINT = 80, BRIGHT = 160, COLOUR_COUNTS = 0.75, LUMA = [0.299, 0.587, 0.114];
/** @typedef {{width: number, height: number, data: ArrayLike<number>}} Plane values 0 to 255, row by row */

/**
 * A file's garment; throws an Error whose message is a sentence for the page.
 * @param {Blob} file @returns {Promise<Uint8Array>}
 */
export async function garmentFromFile(file) {
  const name = file instanceof File ? `“${file.name}”` : "This file";
  if (!file.size) throw new Error(`${name} is empty. Choose a photo: PNG, JPEG, WebP, GIF or BMP.`);
  if (file.size > MAX_BYTES) {
    const size = Math.round(file.size / 1e6);
    throw new Error(`${name} has ${size} MB; at most 20 MB are read. Make the photo smaller first.`);
  }
  const picture = await createImageBitmap(file).catch(() => {
    throw new Error(`${name} is no photo that this browser can read. Choose a PNG, JPEG, WebP, GIF or BMP file.`);
  });
  const { width, height } = picture;
  if (width * height > MAX_PIXELS) {
    throw new Error(`${name} has more than 60 million pixels. Make the photo smaller first.`);
  }
  const scale = Math.min(1, WORKING / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const garment = garmentFromColours(colours(context.getImageData(0, 0, canvas.width, canvas.height)));
  if (!garment.some(Boolean)) {
    throw new Error(`Nothing stands out from the background of ${name}. ` +
      "Lay one garment on a plain ground and take the photo again.");
  }
  return garment;
}

/**
 * Red, green and blue; what is transparent gets a ground that it stands out from.
 * @param {ImageData} picture @returns {Plane[]}
 */
function colours({ width, height, data }) {
  const count = width * height;
  let visible = 0, opaque = 1e-6;
  for (let i = 0; i < count; i++) {
    const alpha = data[4 * i + 3] / 255;
    visible += alpha * LUMA.reduce((sum, part, c) => sum + part * data[4 * i + c], 0);
    opaque += alpha;
  }
  const ground = visible / opaque >= 128 ? 0 : 255;
  return LUMA.map((_, c) => ({ width, height, data: Float64Array.from({ length: count }, (_, i) => {
    const alpha = data[4 * i + 3] / 255;
    return data[4 * i + c] * alpha + ground * (1 - alpha);
  }) }));
}

/** Differences of a pixel from the ground: in grey, and in the colour that differs most.
 * @param {Plane[]} planes @param {number[]} ground @param {number} i
 */
function differences(planes, ground, i) {
  let grey = 0, colour = 0;
  for (let c = 0; c < 3; c++) {
    const apart = planes[c].data[i] - ground[c];
    grey += LUMA[c] * apart;
    colour = Math.max(colour, Math.abs(apart));
  }
  return [Math.abs(grey), colour];
}

/** @param {Plane[]} planes @returns {Uint8Array} (28, 28) */
export function garmentFromColours(planes) {
  const { width: across, height: down } = planes[0], scale = Math.min(1, ROUGH / Math.max(across, down));
  const w = Math.max(1, Math.round(across * scale)), h = Math.max(1, Math.round(down * scale));
  const small = planes.map((plane) => shrink({ ...plane, data: Uint8Array.from(plane.data, Math.round) }, w, h));
  const ground = small.map(rimOf);
  const lit = Array.from({ length: w * h }, (_, i) => {
    const [grey, colour] = differences(small, ground, i);
    return +(Math.max(grey, COLOUR_COUNTS * colour) > STANDS_OUT);
  });
  const garment = new Uint8Array(784), rows = [h, -1], columns = [w, -1];
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      let around = 0;
      for (let v = Math.max(0, y - 1); v <= Math.min(h - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(w - 1, x + 1); u++) around += lit[v * w + u];
      if (!lit[y * w + x] || around < 2) continue; // dust stands alone
      rows[0] = Math.min(rows[0], y); rows[1] = Math.max(rows[1], y);
      columns[0] = Math.min(columns[0], x); columns[1] = Math.max(columns[1], x);
    }
  if (rows[1] < 0) return garment;
  /** @type {(ends: number[], length: number, cells: number) => number[]} */
  const extent = ([first, last], length, cells) =>
    [Math.floor(first * length / cells), Math.ceil((last + 1) * length / cells)];
  const [top, bottom] = extent(rows, down, h), [left, right] = extent(columns, across, w);
  const greyGround = LUMA.reduce((sum, part, c) => sum + part * ground[c], 0);
  const full = 255 / Math.max(greyGround, 255 - greyGround);
  const content = new Uint8Array((bottom - top) * (right - left));
  for (let y = top, at = 0; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const [grey, colour] = differences(planes, ground, y * across + x);
      content[at++] = Math.round(Math.max(grey, colour / 2) * full);
    }
  const side = 28 / Math.max(bottom - top, right - left);
  const width = Math.max(1, Math.round((right - left) * side));
  const height = Math.max(1, Math.round((bottom - top) * side));
  const fitted = shrink({ width: right - left, height: bottom - top, data: content }, width, height);
  const shown = brightened(Array.from(fitted.data, (v) => v < HAZE ? 0 : v));
  const dy = (28 - height) >> 1, dx = (28 - width) >> 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) garment[(y + dy) * 28 + x + dx] = shown[y * width + x];
  return garment;
}

/** The median of a picture's rim. @param {Plane} plane */
function rimOf({ width, height, data }) {
  const rim = [];
  for (let x = 0; x < width; x++) rim.push(data[x], data[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) rim.push(data[y * width], data[(y + 1) * width - 1]);
  return rim.sort((a, b) => a - b)[(rim.length - 1) >> 1];
}

/** Stretched so that the brighter part is as bright as a garment's. @param {number[]} values */
function brightened(values) {
  const lit = values.filter(Boolean).sort((a, b) => a - b), place = 0.9 * (lit.length - 1), below = Math.floor(place);
  const bright = lit.length ? lit[below] + (place - below) * ((lit[below + 1] ?? lit[below]) - lit[below]) : FAINT;
  return bright >= FAINT ? values : values.map((v) => Math.floor(Math.min(255, v * BRIGHT / Math.max(bright, 1))));
}

/**
 * Means over boxes, first across, then down, each rounded to bytes, as Pillow's BOX does.
 * @param {Plane} picture @param {number} width @param {number} height @returns {Plane}
 */
function shrink({ width: w, height: h, data }, width, height) {
  /** @typedef {(line: number, i: number) => number} Place */
  /** @type {(source: ArrayLike<number>, lines: number, from: number, to: number, at: Place, put: Place) => Uint8Array} */
  const axis = (source, lines, from, to, at, put) => {
    const result = new Uint8Array(lines * to), scale = from / to, half = Math.max(scale, 1) / 2;
    for (let i = 0; i < to; i++) {
      const centre = (i + 0.5) * scale;
      const first = Math.max(0, Math.floor(centre - half + 0.5));
      const last = Math.min(from, Math.floor(centre + half + 0.5));
      for (let line = 0; line < lines; line++) {
        let sum = 0;
        for (let k = first; k < last; k++) sum += source[at(line, k)];
        result[put(line, i)] = Math.floor(sum / (last - first) + 0.5);
      }
    }
    return result;
  };
  const inRows = (/** @type {number} */ length) => (/** @type {number} */ y, /** @type {number} */ x) => y * length + x;
  const inColumns = (/** @type {number} */ x, /** @type {number} */ y) => y * width + x;
  const across = width === w ? data : axis(data, h, w, width, inRows(w), inRows(width));
  return { width, height, data: height === h ? across : axis(across, width, h, height, inColumns, inColumns) };
}
