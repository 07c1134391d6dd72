// @ts-check
/** A small picture of a file, one after another, so that thirty large photos do not stall the page. */

const SIDE_PIXELS = 112;
const LARGEST_BYTES = 40_000_000;
/** @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * @param {Blob} file
 * @returns {Promise<string | null>} a data URL small enough to be remembered; null for what the browser cannot show
 */
export function drawThumbnail(file) {
  const next = last.then(() => draw(file));
  last = next;
  return next;
}

/** @param {Blob} file */
async function draw(file) {
  if (file.size > LARGEST_BYTES) return null;
  try {
    const whole = await createImageBitmap(file);
    const scale = Math.min(1, SIDE_PIXELS / Math.min(whole.width, whole.height));
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = Math.max(1, Math.min(SIDE_PIXELS, Math.round(Math.min(whole.width, whole.height) * scale)));
    const context = canvas.getContext('2d');
    if (!context) return null;
    context.imageSmoothingQuality = 'medium';
    const [width, height] = [whole.width * scale, whole.height * scale];
    context.drawImage(whole, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    whole.close();
    return canvas.toDataURL('image/webp', 0.6);
  } catch {
    return null;
  }
}
