// @ts-check
/** Questions to the answer of `/api/capabilities`: what this gateway reads, offers and limits. */

/** @typedef {import('./types.js').Capabilities} Capabilities */

/** Names that are written otherwise than in capitals. */
const FORMAT_NAMES = /** @type {Record<string, string>} */ ({ webp: 'WebP', jxl: 'JPEG XL' });

/** What a gateway writes where nobody asks for another format. */
export const DEFAULT_FORMAT = 'webp';
/** Stands in the place of a format where several results are wanted: of several widths and formats, for a web page. */
export const WEB = 'web';
/** The order in which a web page offers them: a browser takes the first that it can show. */
const FOR_WEB = ['avif', 'webp', 'jpeg', 'png'];
const SIDES = new Set(['width', 'height']);

/** @param {Capabilities} capabilities @param {'retry' | 'tus' | 'url'} feature */
export function hasFeature(capabilities, feature) {
  return capabilities.features?.includes(feature) ?? false;
}

/**
 * The JSON schema of an option, empty when it is not offered. Where it has alternatives (`0–100 or auto`), the range among them.
 * @param {Capabilities} capabilities
 * @param {string} name
 * @returns {import('./types.js').OptionSchema}
 */
export function optionSchema(capabilities, name) {
  const option = capabilities.options[name] ?? {};
  return { ...option, ...option.anyOf?.find((each) => each.maximum !== undefined) };
}

/** The formats among which one can choose; none where there is one alone. @param {Capabilities} capabilities */
export const outputFormats = ({ output_formats = [] }) => output_formats.length > 1 ? output_formats : [];

/** Those that a web page can have side by side; none where the gateway makes one result alone. @param {Capabilities} capabilities */
export function webFormats(capabilities) {
  const names = outputFormats(capabilities).map(({ name }) => name);
  return 'widths' in capabilities.options && 'formats' in capabilities.options ? FOR_WEB.filter((name) => names.includes(name)) : [];
}

/**
 * What the gateway offers for one output format, or for several at once: the options that mean something for any of them, and sides no longer
 * than all of them allow.
 * @param {Capabilities} capabilities
 * @param {string | string[]} formats
 * @returns {Capabilities}
 */
export function capabilitiesFor(capabilities, formats) {
  const names = [formats].flat();
  const sides = outputFormats(capabilities).filter(({ name }) => names.includes(name)).map((each) => each.side_pixels);
  const side_pixels = sides.length > 0 ? Math.min(...sides) : capabilities.limits.side_pixels;
  const meant = Object.entries(capabilities.options).filter(([, option]) => option['x-formats']?.some((name) => names.includes(name)) ?? true);
  const bounded = meant.map(([name, option]) => [name, SIDES.has(name) ? { ...option, maximum: Math.min(option.maximum ?? side_pixels, side_pixels) } : option]);
  return { ...capabilities, options: Object.fromEntries(bounded), limits: { ...capabilities.limits, side_pixels } };
}

/**
 * Whether an option takes this value. A gateway of an earlier version may lack a word that the page knows.
 * @param {Capabilities} capabilities
 * @param {string} name
 * @param {string} value as in a query
 */
export function offersValue(capabilities, name, value) {
  const option = capabilities.options[name];
  if (!option) return false;
  const kinds = [option, ...option.anyOf ?? []];
  return kinds.some((each) => each.type === 'boolean' ? value === 'true' || value === 'false' : [each.const, ...each.enum ?? []].map(String).includes(value));
}

/**
 * The value of `<input accept>`.
 * @param {Capabilities} capabilities
 */
export function acceptAttribute(capabilities) {
  return capabilities.formats.flatMap((format) => [format.media_type, ...format.extensions.map((each) => `.${each}`)]).join(',');
}

/**
 * @param {Capabilities} capabilities
 * @returns {string[]} names as people write them
 */
export function formatNames(capabilities) {
  return capabilities.formats.map(({ name }) => formatName(name));
}

/** As people write it. @param {string} name */
export const formatName = (name) => FORMAT_NAMES[name] ?? name.toUpperCase();
