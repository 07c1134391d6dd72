// @ts-check
/** Questions to the answer of `/api/capabilities`: what this gateway reads, offers and limits. */

/** @typedef {import('./types.js').Capabilities} Capabilities */

/** Names that are written otherwise than in capitals. */
const FORMAT_NAMES = /** @type {Record<string, string>} */ ({ webp: 'WebP', jxl: 'JPEG XL' });

/** What a gateway writes where nobody asks for another format. */
export const DEFAULT_FORMAT = 'webp';
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

/**
 * What the gateway offers for one output format: the options that mean something for it, and sides no longer than it allows.
 * @param {Capabilities} capabilities
 * @param {string} format
 * @returns {Capabilities}
 */
export function capabilitiesFor(capabilities, format) {
  const { side_pixels = capabilities.limits.side_pixels } = outputFormats(capabilities).find(({ name }) => name === format) ?? {};
  const meant = Object.entries(capabilities.options).filter(([, option]) => option['x-formats']?.includes(format) ?? true);
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
