// @ts-check
/** Checks of a chosen file before a byte is sent. The gateway decides by the bytes; these checks only spare an upload that must fail. */

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {import('./types.js').Problem} Problem */

/** Files that an operating system puts into folders: hidden files, and Windows' thumbnail and folder settings. */
const SYSTEM_FILE = /^(\.|thumbs\.db$|desktop\.ini$)/i;

/**
 * @param {{name: string, size: number, type: string}} file
 * @param {Capabilities} capabilities
 * @returns {Problem | null}
 */
export function problemOfFile(file, capabilities) {
  if (file.size === 0) return { code: 'empty_file' };
  if (file.size > capabilities.limits.upload_bytes) return { code: 'too_large' };
  return isSurelyNoImage(file, capabilities) ? { code: 'unsupported_format' } : null;
}

/**
 * Whether the browser knows the type, and it is not an image.
 * @param {{name: string, type: string}} file
 * @param {Capabilities} capabilities
 */
function isSurelyNoImage(file, capabilities) {
  if (!file.type || file.type.startsWith('image/') || file.type === 'application/octet-stream') return false;
  const extension = file.name.split('.').pop()?.toLowerCase() ?? '';
  return !capabilities.formats.some((format) => format.extensions.includes(extension));
}

/**
 * Whether it came along with a dropped folder and is not meant to be converted.
 * @param {string} name
 * @returns {boolean}
 */
export function isSystemFile(name) {
  return SYSTEM_FILE.test(name);
}
