// @ts-check
import { el } from './dom.js';

/** Start a download. @param {string} address @param {string} name */
export function saveAddress(address, name) {
  el('a', { href: address, download: name }).click();
}

/** Start a download of bytes that the page holds. @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  saveAddress(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
