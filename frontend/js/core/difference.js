// @ts-check
/**
 * How much two pictures of the same size differ: where most, and how much a difference has to be amplified until it is seen. Pixels come in
 * strips, as a canvas gives them (RGBA), so that no picture is held twice.
 *
 * @typedef {{x: number, y: number}} Place as shares of width and height, 0–1
 * @typedef {{place: Place, amplification: number, is_same: boolean}} Difference
 */

/** Side of a block in pixels. Strips are so high. */
export const BLOCK = 32;
/** The place is the middle of the window with the largest difference: so many blocks wide and high, about what a phone shows at 100 %. */
const WINDOW_BLOCKS = 9;
export const AMPLIFICATIONS = /** @type {const} */ ([1, 2, 4, 8, 16, 32]);
/** Of 255: to about this level the strongest differences are raised. */
const SEEN_LEVEL = 160;
/** Of the pixels that differ, this share is weaker than the strongest ones that count. */
const STRONGEST = 0.95;

export class DifferenceMeter {
  /** @param {number} width @param {number} height in pixels */
  constructor(width, height) {
    this.columns = Math.ceil(width / BLOCK);
    this.rows = Math.ceil(height / BLOCK);
    this.width = width;
    this.height = height;
    /** Sum of squares of each block, row by row. */
    this.blocks = new Float64Array(this.columns * this.rows);
    /** How many pixels differ so much, by their strongest channel. */
    this.levels = new Uint32Array(256);
  }

  /**
   * One strip of both pictures. The next is the one below.
   * @param {Uint8ClampedArray | Uint8Array} before
   * @param {Uint8ClampedArray | Uint8Array} after
   * @param {number} row of blocks
   */
  add(before, after, row) {
    const { width, columns, blocks, levels } = this;
    for (let at = 0, x = 0; at < before.length; at += 4, x = x + 1 === width ? 0 : x + 1) {
      const red = Math.abs(before[at] - after[at]);
      const green = Math.abs(before[at + 1] - after[at + 1]);
      const blue = Math.abs(before[at + 2] - after[at + 2]);
      const most = Math.max(red, green, blue);
      if (most === 0) continue;
      levels[most] += 1;
      blocks[row * columns + (x / BLOCK | 0)] += most * most;
    }
  }

  /** @returns {Difference} */
  measure() {
    return { place: this.place(), amplification: amplificationOf(this.levels), is_same: this.levels.every((count) => count === 0) };
  }

  /** @returns {Place} the middle, where nothing differs */
  place() {
    const { columns, rows } = this;
    const [wide, high] = [Math.min(WINDOW_BLOCKS, columns), Math.min(WINDOW_BLOCKS, rows)];
    const sums = sumsOf(this.blocks, columns, rows);
    const sumAt = (/** @type {number} */ x, /** @type {number} */ y) => sums[y * (columns + 1) + x];
    let best = { sum: 0, x: (columns - wide) / 2, y: (rows - high) / 2 };
    for (let y = 0; y + high <= rows; y += 1) {
      for (let x = 0; x + wide <= columns; x += 1) {
        const sum = sumAt(x + wide, y + high) - sumAt(x, y + high) - sumAt(x + wide, y) + sumAt(x, y);
        if (sum > best.sum) best = { sum, x, y };
      }
    }
    const share = (/** @type {number} */ first, /** @type {number} */ blocks, /** @type {number} */ side) => Math.min(1, (first + blocks / 2) * BLOCK / side);
    return { x: share(best.x, wide, this.width), y: share(best.y, high, this.height) };
  }
}

/** Sums of everything above and left (a summed-area table), with a row and a column of zeros before. @param {Float64Array} blocks @param {number} columns @param {number} rows */
function sumsOf(blocks, columns, rows) {
  const sums = new Float64Array((columns + 1) * (rows + 1));
  for (let y = 0; y < rows; y += 1) {
    let line = 0;
    for (let x = 0; x < columns; x += 1) {
      line += blocks[y * columns + x];
      sums[(y + 1) * (columns + 1) + x + 1] = sums[y * (columns + 1) + x + 1] + line;
    }
  }
  return sums;
}

/** The largest that keeps the strongest differences below white. @param {Uint32Array} levels pixels by level; the first is not counted @returns {number} */
export function amplificationOf(levels) {
  const differing = levels.subarray(1).reduce((sum, count) => sum + count, 0);
  let [level, passed] = [0, 0];
  while (passed < differing * STRONGEST) passed += levels[level += 1];
  return AMPLIFICATIONS.findLast((each) => each * level <= SEEN_LEVEL) ?? 1;
}
