// Any photo as a 28×28 garment, bright on black: the steps of vgg_lesson/data/pictures.py, pixel for pixel.

const MAX_BYTES = 20e6, MAX_PIXELS = 60e6, WORKING = 560, ROUGH = 140, STANDS_OUT = 26, HAZE = 13;
/** @typedef {{width: number, height: number, data: Float64Array|Uint8Array}} Grey brightness, 0 to 255, row by row */

/** A file's garment; throws an Error whose message is a sentence for the page. @param {Blob} file @returns {Promise<Uint8Array>} */
export async function garmentFromFile(file) {
  const name = file instanceof File ? `“${file.name}”` : "This file";
  if (!file.size) throw new Error(`${name} is empty. Choose a photo: PNG, JPEG, WebP, GIF or BMP.`);
  if (file.size > MAX_BYTES) throw new Error(`${name} has ${Math.round(file.size / 1e6)} MB; at most 20 MB are read. Make the photo smaller first.`);
  const picture = await createImageBitmap(file).catch(() => {
    throw new Error(`${name} is no photo that this browser can read. Choose a PNG, JPEG, WebP, GIF or BMP file.`);
  });
  const { width, height } = picture;
  if (width * height > MAX_PIXELS) throw new Error(`${name} has more than 60 million pixels. Make the photo smaller first.`);
  const scale = Math.min(1, WORKING / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const garment = garmentFromGrey(grey(context.getImageData(0, 0, canvas.width, canvas.height)));
  if (!garment.some(Boolean)) throw new Error(`Nothing stands out from the background of ${name}. Lay one garment on a plain ground and take the photo again.`);
  return garment;
}

/** Brightness; what is transparent gets the ground that it stands out from. @param {ImageData} picture @returns {Grey} */
function grey({ width, height, data }) {
  const light = new Float64Array(width * height);
  let visible = 0, opaque = 1e-6;
  for (let i = 0; i < light.length; i++) {
    light[i] = (data[4 * i] * 19595 + data[4 * i + 1] * 38470 + data[4 * i + 2] * 7471 + 0x8000) >> 16;
    visible += light[i] * data[4 * i + 3] / 255;
    opaque += data[4 * i + 3] / 255;
  }
  const ground = visible / opaque >= 128 ? 0 : 255;
  for (let i = 0; i < light.length; i++) {
    const alpha = data[4 * i + 3] / 255;
    if (alpha < 1) light[i] = Math.round(light[i] * alpha + ground * (1 - alpha));
  }
  return { width, height, data: light };
}

/** @param {Grey} values @returns {Uint8Array} (28, 28) */
export function garmentFromGrey(values) {
  const garment = new Uint8Array(784), scale = Math.min(1, ROUGH / Math.max(values.width, values.height));
  const small = shrink(values, Math.max(1, Math.round(values.width * scale)), Math.max(1, Math.round(values.height * scale)));
  const lit = onBlack(small).map((v) => +(v > STANDS_OUT)), { width: w, height: h } = small;
  const rows = [h, -1], columns = [w, -1];
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
  const extent = ([first, last], length, cells) => [Math.floor(first * length / cells), Math.ceil((last + 1) * length / cells)];
  const [top, bottom] = extent(rows, values.height, h), [left, right] = extent(columns, values.width, w);
  const content = new Uint8Array((bottom - top) * (right - left)), bright = onBlack(values);
  for (let y = top, at = 0; y < bottom; y++) for (let x = left; x < right; x++) content[at++] = Math.round(bright[y * values.width + x]);
  const side = 28 / Math.max(bottom - top, right - left);
  const width = Math.max(1, Math.round((right - left) * side)), height = Math.max(1, Math.round((bottom - top) * side));
  const fitted = shrink({ width: right - left, height: bottom - top, data: content }, width, height);
  const dy = (28 - height) >> 1, dx = (28 - width) >> 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const v = fitted.data[y * width + x];
      garment[(y + dy) * 28 + x + dx] = v < HAZE ? 0 : v;
    }
  return garment;
}

/** Brightness as distance from the ground: negated where the rim of the picture is light. @param {Grey} picture */
function onBlack({ width, height, data }) {
  const rim = [...data.subarray(0, width), ...data.subarray((height - 1) * width)];
  for (let y = 0; y < height; y++) rim.push(data[y * width], data[(y + 1) * width - 1]);
  const ground = rim.sort((a, b) => a - b)[(rim.length - 1) >> 1];
  return Float64Array.from(data, (v) => ground >= 128 ? Math.max(0, ground - v) * 255 / ground : Math.max(0, v - ground) * 255 / (255 - ground));
}

/** Means over boxes, first across, then down, each rounded to bytes, as Pillow's BOX does. @param {Grey} picture @param {number} width @param {number} height @returns {Grey} */
function shrink({ width: w, height: h, data }, width, height) {
  /** @type {(source: ArrayLike<number>, lines: number, from: number, to: number, at: (line: number, i: number) => number, put: (line: number, i: number) => number) => Uint8Array} */
  const axis = (source, lines, from, to, at, put) => {
    const result = new Uint8Array(lines * to), scale = from / to, half = Math.max(scale, 1) / 2;
    for (let i = 0; i < to; i++) {
      const centre = (i + 0.5) * scale, first = Math.max(0, Math.floor(centre - half + 0.5)), last = Math.min(from, Math.floor(centre + half + 0.5));
      for (let line = 0; line < lines; line++) {
        let sum = 0;
        for (let k = first; k < last; k++) sum += source[at(line, k)];
        result[put(line, i)] = Math.floor(sum / (last - first) + 0.5);
      }
    }
    return result;
  };
  const across = width === w ? data : axis(data, h, w, width, (y, x) => y * w + x, (y, x) => y * width + x);
  return { width, height, data: height === h ? Uint8Array.from(across) : axis(across, width, h, height, (x, y) => y * width + x, (x, y) => y * width + x) };
}
