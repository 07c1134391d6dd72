// @ts-check
/**
 * The worker of `samples.js`: gets an image file, the largest size and a format, posts a sample of it, or null where the browser cannot decode
 * it. The sample's weight is how many times as large the whole picture is in that format, written by the browser: it says how the parts that
 * were not taken differ from those that were.
 */
import { REACH, resample } from '../core/lanczos.js';
import { sizeWithin, tilingOf } from '../core/sampling.js';

/** @typedef {import('../core/sampling.js').Size} Size */
/** @typedef {{picture: Blob, weight: number, size: Size}} Sample */

/** A picture that is so small without loss is plain, and encoded without loss in about a second: it stands for itself. Letters repeat all over it. */
const LIGHT_BYTES = 1_000_000;
const LIGHT_FORMAT = 'image/png';
/** Of the JPEGs that are weighed. */
const WEIGHED_QUALITY = 0.75;
/** A picture is halved by the browser until it is less than this many times as large as wanted; the filter does the rest. */
const NEAR = 3;

addEventListener('message', async ({ data }) => postMessage(await sample(data).catch(() => null)));

/** @param {{file: Blob, limits: {width?: number, height?: number}, weighed_as: string}} given @returns {Promise<Sample>} */
async function sample({ file, limits, weighed_as }) {
  const source = await createImageBitmap(file);
  const size = sizeWithin(source, limits);
  const tiling = tilingOf(size);
  const whole = draw(source, size);
  const is_scaled = size.width < source.width || size.height < source.height;
  const near = is_scaled ? draw(source, sizeNear(source, size)) : whole;
  source.close();
  const all = weighed_as === LIGHT_FORMAT && !is_scaled ? await whole.convertToBlob({ type: LIGHT_FORMAT }) : null;
  if (all && all.size <= LIGHT_BYTES) return { picture: all, size, weight: 1 };
  const mosaic = new OffscreenCanvas(tiling.columns * tiling.tile.width, tiling.rows * tiling.tile.height);
  const context = contextOf(mosaic);
  tiling.places.forEach((place, index) => {
    const to = { x: (index % tiling.columns) * tiling.tile.width, y: Math.floor(index / tiling.columns) * tiling.tile.height };
    if (is_scaled) context.putImageData(scaledTile(near, size, place, tiling.tile), to.x, to.y);
    else context.drawImage(whole, place.x, place.y, tiling.tile.width, tiling.tile.height, to.x, to.y, tiling.tile.width, tiling.tile.height);
  });
  const picture = await mosaic.convertToBlob({ type: 'image/png' });
  return { picture, size, weight: tiling.places.length > 1 ? await weightOf(whole, tiling, weighed_as) : 1 };
}

/** @param {OffscreenCanvas} canvas */
function contextOf(canvas) {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  return context;
}

/** @param {ImageBitmap} source @param {Size} size */
function draw(source, { width, height }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = contextOf(canvas);
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

/** @param {Size} source @param {Size} size @returns {Size} */
function sizeNear(source, size) {
  let halvings = 0;
  while (source.width / 2 ** (halvings + 1) >= size.width * NEAR) halvings += 1;
  return { width: Math.ceil(source.width / 2 ** halvings), height: Math.ceil(source.height / 2 ** halvings) };
}

/** @param {OffscreenCanvas} near @param {Size} size @param {import('../core/sampling.js').Place} place @param {Size} tile */
function scaledTile(near, size, { x, y }, tile) {
  const across = spanOf(x, tile.width, near.width, size.width);
  const down = spanOf(y, tile.height, near.height, size.height);
  const pixels = contextOf(near).getImageData(across.start, down.start, across.span, down.span);
  return new ImageData(resample(pixels, x, y, { ...across, offset: across.start, length: tile.width }, { ...down, offset: down.start, length: tile.height }), tile.width, tile.height);
}

/** What of the larger picture a tile is made from. @param {number} first @param {number} length @param {number} larger @param {number} smaller */
function spanOf(first, length, larger, smaller) {
  const scale = larger / smaller;
  const start = Math.max(0, Math.floor((first - REACH) * scale));
  const end = Math.min(larger, Math.ceil((first + length + REACH) * scale));
  return { scale, start, span: end - start };
}

/** @param {OffscreenCanvas} whole @param {import('../core/sampling.js').Tiling} tiling @param {string} type */
async function weightOf(whole, { tile, columns, rows, places }, type) {
  const parts = new OffscreenCanvas(columns * tile.width, rows * tile.height);
  const context = contextOf(parts);
  places.forEach(({ x, y }, index) => context.drawImage(whole, x, y, tile.width, tile.height, (index % columns) * tile.width, Math.floor(index / columns) * tile.height, tile.width, tile.height));
  const [all, some] = await Promise.all([whole, parts].map((canvas) => canvas.convertToBlob({ type, quality: WEIGHED_QUALITY })));
  return all.size / some.size;
}
