// @ts-check
/**
 * Which parts of a picture stand for all of it. A picture of many pixels is sampled in tiles, one in the middle of each cell of a grid that
 * covers it; together they make one small picture, in the same order. A tile begins where a block of the encoder begins.
 */

/** @typedef {{width: number, height: number}} Size in pixels */
/** @typedef {{x: number, y: number}} Place in pixels */
/** @typedef {{tile: Size, columns: number, rows: number, places: Place[]}} Tiling `places` row by row */

/** Of all tiles together. With half as many, 21 of 24 pictures came within 15 % at quality 90, instead of 24 (`tests/page/estimates.mjs`). */
export const BUDGET_PIXELS = 500_000;
/** Tiles of 64 pixels cut more of what an encoder predicts and repeats across a border. */
const TILE_PIXELS = 128;
/** Side of VP8's macroblock in pixels (RFC 6386 §2). */
const BLOCK_PIXELS = 16;

/**
 * The size that a picture has within the limits, never larger than it is: as the gateway's `fit=inside`.
 * @param {Size} source
 * @param {{width?: number, height?: number}} limits
 * @returns {Size}
 */
export function sizeWithin({ width, height }, limits) {
  const scale = Math.min(1, (limits.width || Infinity) / width, (limits.height || Infinity) / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** One tile as large as the picture where that has no more pixels than the budget. @param {Size} size @returns {Tiling} */
export function tilingOf(size) {
  if (size.width * size.height <= BUDGET_PIXELS) return { tile: size, columns: 1, rows: 1, places: [{ x: 0, y: 0 }] };
  const tile = { width: Math.min(size.width, TILE_PIXELS), height: Math.min(size.height, TILE_PIXELS) };
  const count = BUDGET_PIXELS / (tile.width * tile.height);
  const columns = within(Math.round(Math.sqrt(count * size.width / size.height)), 1, Math.floor(size.width / tile.width));
  const rows = within(Math.floor(count / columns), 1, Math.floor(size.height / tile.height));
  const places = Array.from({ length: rows * columns }, (_, index) => ({
    x: placeIn(index % columns, columns, size.width, tile.width), y: placeIn(Math.floor(index / columns), rows, size.height, tile.height),
  }));
  return { tile, columns, rows, places };
}

/** @param {number} index of the cell @param {number} count of cells @param {number} length of the picture @param {number} side of a tile */
function placeIn(index, count, length, side) {
  const middle = (index + 0.5) * length / count - side / 2;
  return within(Math.round(middle / BLOCK_PIXELS) * BLOCK_PIXELS, 0, length - side);
}

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.max(low, Math.min(value, high));
