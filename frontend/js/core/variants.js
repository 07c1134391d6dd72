// @ts-check
/**
 * Variants: the results of one image in several widths and formats, for a web page. The gateway makes each width that was asked for, but none wider
 * than the source: of those that came out alike one is shown.
 */
import { DEFAULT_FORMAT } from './capabilities.js';
import { resultName, variantName } from './filenames.js';

/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Result} Result */
/** @typedef {{format: string, width: number | null, result: Result | null}} Slot what was asked for, and what has come of it; `width`: null for the source's */
/** @typedef {{name: string, path: string, bytes: number, format: string, width: number, height: number}} File as it is saved */

/** @param {Pick<Item, 'options'>} item */
export const asksForVariants = ({ options }) => Boolean(options.widths || options.formats);

/** The one that stands for all of them: the widest of the first format. @param {Result[]} results */
export function mainVariant(results) {
  const first = results.filter(({ format }) => format === results[0].format);
  return first.length > 0 ? first.reduce((widest, each) => each.width > widest.width ? each : widest) : null;
}

/** What is asked for, format by format. Once the image has ended, what is ready, each once. @param {Item} item @param {boolean} has_ended @returns {Slot[]} */
export function slotsOf(item, has_ended) {
  if (has_ended) return filesOf(item).map(({ result }) => ({ format: formatOf(result), width: result.width, result }));
  const { formats = DEFAULT_FORMAT, widths = '' } = item.options;
  const ready = new Map(item.results.map((result) => [placeOf(result), result]));
  return formats.split(',').flatMap((format) => widths.split(',').map((width) => ({ format, width: Number(width) || null, result: ready.get(`${format} ${Number(width)}`) ?? null })));
}

/** Those that are ready, each with its file; of files alike the first. @param {Item} item @returns {{result: Result, file: File}[]} */
export function filesOf(item) {
  const all = item.results.map((result) => ({ result, file: fileOf(item, result) }));
  return all.filter(({ file }, index) => all.findIndex((each) => each.file.name === file.name) === index);
}

/** @param {Item} item @param {Result} result @returns {File} */
function fileOf({ name, options }, result) {
  const { url, bytes, width, height } = result;
  const format = formatOf(result);
  return { name: options.widths ? variantName(name, width, format) : resultName(name, format), path: url, bytes, format, width, height };
}

/** Whether the gateway's ZIP has the files under other names: the image was renamed on the page. @param {Item} item */
export const isRenamed = ({ name, source }) => !source?.filename || resultName(name) !== resultName(source.filename);

/** @param {Result} result */
const formatOf = ({ format }) => format ?? DEFAULT_FORMAT;

/** What was asked for stands in the address; a width that was not is the source's. @param {Result} result */
function placeOf(result) {
  const asked = new URLSearchParams(result.url.split('?')[1]);
  return `${asked.get('format') ?? formatOf(result)} ${Number(asked.get('width'))}`;
}
