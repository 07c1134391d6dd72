// @ts-check
/** HTML that shows a result, and the source where a browser cannot show the result. */

/** Format → how widely browsers show it: 3 for all of them. Others are shown by few. @type {Record<string, number>} */
const REACH = { avif: 1, webp: 2, jpeg: 3, png: 3, gif: 3 };
const ENTITIES = /** @type {Record<string, string>} */ ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' });

/** @typedef {{name: string, format: string}} Named */

/**
 * Both files are named as they are saved, to stand beside the page: addresses of the gateway end with its jobs.
 * @param {{result: Named, source: Named, width: number, height: number, alt: string}} picture
 */
export function pictureSnippet({ result, source, width, height, alt }) {
  const reach = (/** @type {Named} */ { format }) => REACH[format] ?? 0;
  const fallback = reach(source) > reach(result) ? source : result;
  const image = `  <img src="${address(fallback)}" width="${width}" height="${height}" alt="${escaped(alt)}" loading="lazy" decoding="async">`;
  const better = fallback.name === result.name ? [] : [`  <source srcset="${address(result)}" type="image/${result.format}">`];
  return ['<picture>', ...better, image, '</picture>'].join('\n');
}

/** The words of a file's name, as a first text for those who do not see the picture. @param {string} stem */
export const altOf = (stem) => stem.replace(/[-_\s]+/g, ' ').trim();

/** @param {Named} file */
const address = ({ name }) => encodeURIComponent(name);

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"]/g, (character) => ENTITIES[character]);
