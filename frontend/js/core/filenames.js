// @ts-check
/** Names of files: how they are shown, what a result is called, and whether an extension tells the truth. The gateway's rules are in `backend/core/filenames.py`. */

/** Other extensions of a format. @type {Record<string, string>} */
const FORMAT_BY_EXTENSION = { jpg: 'jpeg', jpe: 'jpeg', jfif: 'jpeg', apng: 'png', tif: 'tiff', heif: 'heic', dib: 'bmp' };
/** Where a format's extension is not its name. @type {Record<string, string>} */
const EXTENSION_BY_FORMAT = { jpeg: 'jpg', tiff: 'tif' };
const EXTENSION = /\.[A-Za-z0-9]{1,5}$/;
/** The last characters of a name, which are always shown. */
const TAIL_CHARACTERS = 10;
/** The gateway cuts a longer name. */
const MOST_CHARACTERS = 255;
const CHARACTERS = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

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
 * A name to show: without control characters and what turns the direction of text. ZERO WIDTH JOINER and
 * NON-JOINER stay, because emoji and Persian words need them.
 * @param {string} name
 */
export function displayName(name) {
  const shown = name.replace(/\p{Zs}/gu, ' ').replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '');
  return /[^. ]/.test(shown) ? [...shown].slice(0, MOST_CHARACTERS).join('') : 'image';
}

/** A name to save under has no folders. @param {string} name */
export const withoutFolders = (name) => name.replaceAll('\\', '/').replace(/\/+$/, '').split('/').pop() ?? '';

/** What a reader sees as characters: an emoji of several code points is one, and a letter with its marks. @param {string} name @returns {string[]} */
const charactersOf = (name) => [...CHARACTERS.segment(name)].map(({ segment }) => segment);

/** How many characters at the end always show. @param {string[]} characters */
const tailLength = (characters) => Math.min(TAIL_CHARACTERS, Math.floor(characters.length / 2));

/**
 * A name in two parts, so that a long one is shortened in its middle: the part that may shrink and the end that always shows. Only for names
 * that run from left to right: see `shortenedName`.
 * @param {string} name
 * @returns {[string, string]}
 */
export function splitName(name) {
  const characters = charactersOf(name);
  const at = characters.length - tailLength(characters);
  return [characters.slice(0, at).join(''), characters.slice(at).join('')];
}

/**
 * A name with an ellipsis in its middle, as long as fits. It stays one text, because two parts of a name of two directions would be ordered
 * each by itself.
 * @param {string} name
 * @param {(text: string) => boolean} fits
 */
export function shortenedName(name, fits) {
  if (fits(name)) return name;
  const characters = charactersOf(name);
  const tail = characters.slice(characters.length - tailLength(characters)).join('');
  const text = (/** @type {number} */ kept) => `${characters.slice(0, kept).join('')}…${tail}`;
  let [least, most] = [1, Math.max(1, characters.length - tailLength(characters) - 1)];
  while (least < most) {
    const kept = Math.ceil((least + most) / 2);
    if (fits(text(kept))) least = kept;
    else most = kept - 1;
  }
  return text(least);
}

/** The part of a name before its extension: only what looks like one counts. @param {string} name */
export const stemOf = (name) => name.replace(EXTENSION, '');

/** The extension of a name, with its dot; empty without one. @param {string} name */
export const extensionOf = (name) => EXTENSION.exec(name)?.[0] ?? '';

/** As the gateway calls the result. @param {string} name of the source @param {string} [format] of the result */
export function resultName(name, format = 'webp') {
  return `${stemOf(withoutFolders(name)) || 'image'}.${EXTENSION_BY_FORMAT[format] ?? format}`;
}

/** As the gateway calls one of several results: `cat-640w.avif`. @param {string} name of the source @param {number} width in pixels @param {string} format */
export function variantName(name, width, format) {
  const extension = extensionOf(resultName(name, format));
  return `${stemOf(resultName(name, format))}-${width}w${extension}`;
}

/** Of results together. @param {string[]} formats of them */
export const zipName = (formats) => `${new Set(formats).size === 1 ? formats[0] : 'images'}.zip`;

/** As the gateway calls the source: a name whose extension lies gets the format's. @param {string} name @param {string[]} extensions of the source's format */
export function sourceName(name, extensions) {
  const last = withoutFolders(name);
  const given = /.\.([^.]*)$/u.exec(last)?.[1].toLowerCase();
  return extensions.length === 0 || given !== undefined && extensions.includes(given) ? last : `${stemOf(last) || 'image'}.${extensions[0]}`;
}

/** The folders of a path that a browser gives with a file: `holiday/beach` of `holiday/beach/a.jpg`. @param {string} path */
export function folderOf(path) {
  return path.split('/').slice(0, -1).filter((part) => /[^. ]/.test(part)).map(displayName).join('/');
}

/** The last part of the path of an address, decoded; as it stands where a percent sign in it does not decode. @param {URL} url */
export function nameOfUrl(url) {
  const part = url.pathname.split('/').pop() ?? '';
  try {
    return displayName(decodeURIComponent(part) || url.host);
  } catch {
    return displayName(part);
  }
}
