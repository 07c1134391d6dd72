// @ts-check
/** To the clipboard. Browsers refuse it where the page has no TLS; a text can still be copied the old way there. */
import { el } from './dom.js';

/** @param {string} text @returns {Promise<boolean>} whether it is copied */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text);
  }
}

/** @param {string} text */
function copyFromField(text) {
  const focused = document.activeElement;
  const field = el('textarea', { class: 'visually-hidden', readonly: '' }, text);
  document.body.append(field);
  field.select();
  const is_copied = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return is_copied;
}

export const canCopyImages = () => typeof ClipboardItem === 'function' && typeof navigator.clipboard?.write === 'function';

/**
 * As PNG: browsers take no other format. It is asked for at once, while the reader's click still counts; the bytes may come later.
 * @param {Promise<Blob | null>} image
 * @returns {Promise<boolean>} whether it is copied
 */
export async function copyImage(image) {
  try {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': image.then(pngOf) })]);
    return true;
  } catch {
    return false;
  }
}

/** @param {Blob | null} image @returns {Promise<Blob>} */
async function pngOf(image) {
  if (!image) throw new Error('There is no image to copy.');
  const bitmap = await createImageBitmap(image);
  const canvas = el('canvas', { width: String(bitmap.width), height: String(bitmap.height) });
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return new Promise((resolve, reject) => canvas.toBlob((png) => png ? resolve(png) : reject(new Error('The image could not be drawn.')), 'image/png'));
}
