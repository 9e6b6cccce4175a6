// What vgg_lesson/arithmetic.py counts, counted here again; a test compares them on random networks.
import { CHANNELS, DEPTHS, scaled } from "./net.js";

/**
 * @typedef {{name: string, kind: string, shape: number[], params: number, macs: number, activations: number,
 *   field: number|null, jump: number|null, formula: string}} Row
 * @typedef {{depth: number, in_channels?: number, num_classes?: number, image_size?: number, width?: number,
 *   batch_norm?: boolean, hidden?: number, head?: string}} Question
 */

/** @param {number} n */
export const commas = (n) => n.toLocaleString("en-US");
/** @param {number[]} a */
const product = (a) => a.reduce((x, y) => x * y, 1);

/** Every layer of a network, from the input to the scores. @param {Question} question @returns {Row[]} */
export function trace({ depth, in_channels = 3, num_classes = 1000, image_size = 224, width = 1, batch_norm = false, hidden = 4096, head = "fc" }) {
  let shape = [in_channels, image_size, image_size], field = 1, jump = 1;
  /** @type {Row[]} */
  const rows = [{ name: "input", kind: "input", shape, params: 0, macs: 0, activations: product(shape), field, jump, formula: "" }];
  DEPTHS[/** @type {11} */ (depth)].forEach((count, block) => {
    for (let i = 1; i <= count; i++) {
      const [from, side] = shape, to = scaled(CHANNELS[block], width), weights = 9 * from * to, params = weights + to;
      shape = [to, side, side];
      field += 2 * jump;
      const common = { shape, activations: product(shape), field, jump };
      rows.push({ name: `conv${block + 1}_${i}`, kind: "conv", params, macs: weights * side * side,
        formula: `(3·3·${from} + 1)·${to} = ${commas(params)}`, ...common });
      if (batch_norm) rows.push({ name: `bn${block + 1}_${i}`, kind: "batch_norm", params: 2 * to, macs: 0, formula: `2·${to} = ${commas(2 * to)}`, ...common });
    }
    shape = [shape[0], shape[1] >> 1, shape[1] >> 1];
    field += jump;
    jump *= 2;
    rows.push({ name: `pool${block + 1}`, kind: "pool", shape, params: 0, macs: 0, activations: product(shape), field, jump, formula: "" });
  });
  const flat = { field: null, jump: null };
  let from = product(shape), factors = shape.join("·"), outputs = [hidden, hidden, num_classes];
  if (head === "gap") {
    from = shape[0]; factors = `${from}`; outputs = [num_classes];
    rows.push({ name: "gap", kind: "gap", shape: [from], params: 0, macs: 0, activations: from, formula: "", ...flat });
  }
  outputs.forEach((units, i) => {
    const params = (from + 1) * units;
    rows.push({ name: `fc${6 + i}`, kind: "linear", shape: [units], params, macs: from * units, activations: units,
      formula: `(${factors} + 1)·${units} = ${commas(params)}`, ...flat });
    from = units; factors = `${units}`;
  });
  return rows;
}

/** What a cell can depend on, along one axis: first pixel (negative in the padding) and side.
 * @param {Row[]} rows @param {string} name @param {number} cell */
export function reach(rows, name, cell) {
  let first = 0;
  for (const row of rows) {
    if (row.kind === "conv") first -= row.jump || 0;
    if (row.name === name) return { first: first + cell * (row.jump || 0), side: row.field || 0 };
  }
  throw new Error(`There is no layer called ${name} here.`);
}

/** The fewest layers that hold 80% of something, largest first. @param {Row[]} rows @param {(row: Row) => number} value */
export function mostOf(rows, value) {
  const total = rows.reduce((sum, row) => sum + value(row), 0), chosen = [];
  let sum = 0;
  for (const row of [...rows].sort((a, b) => value(b) - value(a))) {
    if (sum >= 0.8 * total) break;
    sum += value(row);
    chosen.push(row.name);
  }
  return { names: chosen, share: sum / total, total };
}
