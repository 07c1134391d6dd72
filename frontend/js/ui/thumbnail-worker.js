// @ts-check
/** The worker of `thumbnail.js`: gets an image file, posts a small square picture of it as a data URL, or null. */

const SIDE_PIXELS = 112;

addEventListener('message', async ({ data }) => postMessage(await drawThumbnail(data)));

/** @param {Blob} file @returns {Promise<string | null>} */
async function drawThumbnail(file) {
  try {
    const whole = await createImageBitmap(file);
    const scale = Math.min(1, SIDE_PIXELS / Math.min(whole.width, whole.height));
    const side = Math.max(1, Math.round(Math.min(whole.width, whole.height) * scale));
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext('2d');
    if (!context) return null;
    context.imageSmoothingQuality = 'medium';
    const [width, height] = [whole.width * scale, whole.height * scale];
    context.drawImage(whole, (side - width) / 2, (side - height) / 2, width, height);
    whole.close();
    return await dataUrlOf(await canvas.convertToBlob({ type: 'image/webp', quality: 0.6 }));
  } catch {
    return null;
  }
}

/** @param {Blob} picture @returns {Promise<string | null>} */
function dataUrlOf(picture) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(typeof reader.result === 'string' ? reader.result : null);
    reader.onerror = () => resolve(null);
    reader.readAsDataURL(picture);
  });
}
