// @ts-check
/** HTML that shows a result, and the source where a browser cannot show the result. */

/** Formats that every browser shows. */
const EVERYWHERE = new Set(['jpeg', 'png', 'gif']);
const ENTITIES = /** @type {Record<string, string>} */ ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' });

/** @typedef {{name: string, format: string}} Named */

/**
 * Both files are named as they are saved, to stand beside the page: addresses of the gateway end with its jobs.
 * @param {{result: Named, source: Named, width: number, height: number, alt: string}} picture
 */
export function pictureSnippet({ result, source, width, height, alt }) {
  const fallback = EVERYWHERE.has(source.format) ? source : result;
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
