// @ts-check
/** HTML that shows a result, and the source where a browser cannot show the result; or several results, of which a browser takes the one that suits it. */
import { stemOf } from './filenames.js';
import { filesOf } from './variants.js';

/** Format → how widely browsers show it: 3 for all of them. Others are shown by few. @type {Record<string, number>} */
const REACH = { avif: 1, webp: 2, jpeg: 3, png: 3, gif: 3 };
const ENTITIES = /** @type {Record<string, string>} */ ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' });

/** @typedef {{name: string, format: string}} Named */

/** Of an image that asked for several results. @param {import('./types.js').Item} item */
export const snippetOf = (item) => responsiveSnippet({ files: filesOf(item).map(({ file }) => file), has_widths: Boolean(item.options.widths), alt: altOf(stemOf(item.name)) });

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

/**
 * The formats are offered in their order; that which most browsers show is what all get. The largest width is how wide the picture is taken to stand.
 * @param {{files: (Named & {width: number, height: number})[], has_widths: boolean, alt: string}} picture
 */
export function responsiveSnippet({ files, has_widths, alt }) {
  const formats = [...new Set(files.map(({ format }) => format))];
  const common = formats.reduce((best, each) => (REACH[each] ?? 0) > (REACH[best] ?? 0) ? each : best);
  const of = (/** @type {string} */ format) => files.filter((each) => each.format === format).sort((a, b) => a.width - b.width);
  const widest = of(common).at(-1) ?? files[0];
  const sizes = has_widths ? ` sizes="(max-width: ${widest.width}px) 100vw, ${widest.width}px"` : '';
  const candidates = (/** @type {string} */ format) => of(format).map((each) => has_widths ? `${address(each)} ${each.width}w` : address(each)).join(', ');
  const sources = formats.filter((each) => (REACH[each] ?? 0) < (REACH[common] ?? 0)).map((each) => `  <source type="image/${each}" srcset="${candidates(each)}"${sizes}>`);
  const srcset = has_widths ? ` srcset="${candidates(common)}"${sizes}` : '';
  const image = `  <img src="${address(widest)}"${srcset} width="${widest.width}" height="${widest.height}" alt="${escaped(alt)}" loading="lazy" decoding="async">`;
  return ['<picture>', ...sources, image, '</picture>'].join('\n');
}

/** The words of a file's name, as a first text for those who do not see the picture. @param {string} stem */
export const altOf = (stem) => stem.replace(/[-_\s]+/g, ' ').trim();

/** @param {Named} file */
const address = ({ name }) => encodeURIComponent(name);

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"]/g, (character) => ENTITIES[character]);
