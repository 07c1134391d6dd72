// @ts-check
/** The worker of `difference.js`: gets two files, posts a `Difference`, or null where one of them cannot be decoded. Of an animation, the first frame counts. */
import { BLOCK, DifferenceMeter } from '../core/difference.js';

/** Larger pictures are measured smaller: two of this size are 128 MB. */
const LARGEST_PIXELS = 16_000_000;
/** Behind transparent pixels, so that neither black nor white is lost. */
const BACKGROUND = '#808080';

addEventListener('message', async ({ data: { before, after } }) => postMessage(await measure(before, after)));

/** @param {Blob} before @param {Blob} after @returns {Promise<import('../core/difference.js').Difference | null>} */
async function measure(before, after) {
  try {
    const shown = await createImageBitmap(after);
    const scale = Math.min(1, Math.sqrt(LARGEST_PIXELS / (shown.width * shown.height)));
    const [width, height] = [shown.width, shown.height].map((side) => Math.max(1, Math.floor(side * scale)));
    const pictures = [await decode(before, width, height), scale < 1 ? await shrink(shown, width, height) : shown];
    const strips = pictures.map((picture) => readStrips(picture, width, height));
    const meter = new DifferenceMeter(width, height);
    for (let row = 0; row < meter.rows; row += 1) meter.add(strips[0](row), strips[1](row), row);
    pictures.forEach((picture) => picture.close());
    return meter.measure();
  } catch {
    return null;
  }
}

/** @param {Blob} file @param {number} width @param {number} height */
function decode(file, width, height) {
  return createImageBitmap(file, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
}

/** @param {ImageBitmap} whole @param {number} width @param {number} height */
async function shrink(whole, width, height) {
  const small = await createImageBitmap(whole, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
  whole.close();
  return small;
}

/** @param {ImageBitmap} picture @param {number} width @param {number} height @returns {(row: number) => Uint8ClampedArray} the pixels of one row of blocks */
function readStrips(picture, width, height) {
  const canvas = new OffscreenCanvas(width, BLOCK);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  context.fillStyle = BACKGROUND;
  return (row) => {
    const high = Math.min(BLOCK, height - row * BLOCK);
    context.fillRect(0, 0, width, BLOCK);
    context.drawImage(picture, 0, row * BLOCK, width, high, 0, 0, width, high);
    return context.getImageData(0, 0, width, high).data;
  };
}
