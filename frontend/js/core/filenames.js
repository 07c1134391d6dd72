// @ts-check
/** Names of files: how they are shown, what a result is called, and whether an extension tells the truth. */

/** Other extensions of a format. @type {Record<string, string>} */
const FORMAT_BY_EXTENSION = { jpg: 'jpeg', jpe: 'jpeg', jfif: 'jpeg', apng: 'png', tif: 'tiff', heif: 'heic', dib: 'bmp' };
/** The last characters of a name, which are always shown. */
const TAIL_CHARACTERS = 10;

/**
 * The format that an image has, where its extension says another; else null.
 * @param {string} name
 * @param {string | null | undefined} format
 */
export function mismatchedFormat(name, format) {
  const extension = /\.(jpe?g|jpe|jfif|a?png|gif|webp|avif|hei[cf]|tiff?|bmp|dib|ico)$/i.exec(name)?.[1].toLowerCase();
  return format && extension && (FORMAT_BY_EXTENSION[extension] ?? extension) !== format ? format : null;
}

/**
 * A name in two parts, so that a long one is shortened in its middle: the part that may shrink and the end that always shows.
 * @param {string} name
 * @returns {[string, string]}
 */
export function splitName(name) {
  const characters = [...name];
  const kept = Math.min(TAIL_CHARACTERS, Math.floor(characters.length / 2));
  return [characters.slice(0, characters.length - kept).join(''), characters.slice(characters.length - kept).join('')];
}

/** @param {string} name of the source */
export function resultName(name) {
  return `${name.replace(/\.[^.]{1,5}$/, '') || 'image'}.webp`;
}

/** The last part of the path of an address, decoded; as it stands where a percent sign in it does not decode. @param {URL} url */
export function nameOfUrl(url) {
  const part = url.pathname.split('/').pop() ?? '';
  try {
    return decodeURIComponent(part) || url.host;
  } catch {
    return part;
  }
}
