// @ts-check
/** What may enter the list: pure checks before a byte is sent. The server decides by the bytes; this only spares a hopeless upload. */

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {import('./types.js').Problem} Problem */

/** Files that come along when a folder is dropped, and that nobody meant. */
const UNMEANT = /^(\.|thumbs\.db$|desktop\.ini$)/i;

/**
 * @param {{name: string, size: number, type: string}} file
 * @param {Capabilities} capabilities
 * @returns {Problem | null}
 */
export function problemOfFile(file, capabilities) {
  if (file.size === 0) return { code: 'empty_file' };
  if (file.size > capabilities.limits.upload_bytes) return { code: 'too_large' };
  return isKnownToBeNoImage(file, capabilities) ? { code: 'unsupported_format' } : null;
}

/**
 * A type that the browser knows for certain not to be an image.
 * @param {{name: string, type: string}} file
 * @param {Capabilities} capabilities
 */
function isKnownToBeNoImage(file, capabilities) {
  if (!file.type || file.type.startsWith('image/') || file.type === 'application/octet-stream') return false;
  const extension = file.name.split('.').pop()?.toLowerCase() ?? '';
  return !capabilities.formats.some((format) => format.extensions.includes(extension));
}

/**
 * @param {string} name
 * @returns {boolean}
 */
export function isSystemFile(name) {
  return UNMEANT.test(name);
}

/**
 * The value of `<input accept>`.
 * @param {Capabilities} capabilities
 */
export function acceptAttribute(capabilities) {
  return capabilities.formats.flatMap((format) => [format.media_type, ...format.extensions.map((each) => `.${each}`)]).join(',');
}

const LABELS = /** @type {Record<string, string>} */ ({ webp: 'WebP', jxl: 'JPEG XL' });

/**
 * @param {Capabilities} capabilities
 * @returns {string[]} names as people write them
 */
export function formatLabels(capabilities) {
  return capabilities.formats.map(({ name }) => LABELS[name] ?? name.toUpperCase());
}
