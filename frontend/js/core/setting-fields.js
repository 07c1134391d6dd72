// @ts-check
/** What may stand in the fields of the settings, and how the qualities are called. Ranges are the gateway's. */
import { capabilitiesFor, optionSchema, outputFormats } from './capabilities.js';

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {{minimum: number, maximum: number}} Range */

/** Field of the settings → its option, and how much of the option one of the field is. */
export const NUMBERS = /** @type {const} */ ({
  quality: { option: 'quality', unit: 1 },
  method: { option: 'method', unit: 1 },
  speed: { option: 'speed', unit: 1 },
  width: { option: 'width', unit: 1 },
  height: { option: 'height', unit: 1 },
  target_kilobytes: { option: 'target_bytes', unit: 1000 },
  near_lossless: { option: 'near_lossless', unit: 1 },
});
/** @typedef {keyof typeof NUMBERS} NumberField */

/** Fields of which an empty text means: not set. */
export const MAY_BE_EMPTY = /** @type {ReadonlySet<string>} */ (new Set(['width', 'height', 'target_kilobytes', 'near_lossless']));

/** The qualities that have a name, from the smallest file to the finest picture. 80 is the gateway's own default. */
export const QUALITY_STOPS = /** @type {const} */ ([
  { quality: 60, name: 'settings.stop_small' },
  { quality: 80, name: 'settings.stop_balanced' },
  { quality: 90, name: 'settings.stop_high' },
  { quality: 96, name: 'settings.stop_best' },
]);

/** Widths in pixels that are offered: a screen, a column of text, a message. */
export const WIDTHS = /** @type {const} */ (['1920', '1280', '800']);

/** Key of the name that is nearest to a quality. @param {number} quality */
export function nameOfQuality(quality) {
  const distance = (/** @type {{quality: number}} */ stop) => Math.abs(stop.quality - quality);
  return QUALITY_STOPS.reduce((best, stop) => distance(stop) < distance(best) ? stop : best).name;
}

/** Keys of what is lost in a format, or need not be chosen. @param {string} format @param {Capabilities} capabilities @returns {string[]} */
export function notesOf(format, capabilities) {
  const output = outputFormats(capabilities).find(({ name }) => name === format);
  if (!output) return [];
  const { quality, lossless } = capabilitiesFor(capabilities, format).options;
  return [
    ...(output.has_alpha ? [] : ['settings.note_alpha']), ...(output.has_animation ? [] : ['settings.note_animation']),
    ...(quality ? lossless ? [] : ['settings.note_lossy'] : ['settings.note_lossless']),
  ];
}

/** In the field's own unit. @param {NumberField} field @param {Capabilities} capabilities for the format, see `capabilitiesFor` @returns {Range} */
export function rangeOf(field, capabilities) {
  const { option, unit } = NUMBERS[field];
  const { minimum = 0, maximum = Infinity } = optionSchema(capabilities, option);
  return { minimum: Math.ceil(minimum / unit), maximum: Math.floor(maximum / unit) };
}

/**
 * Whether a text is a whole number of the field's range, or empty where that means something.
 * @param {NumberField} field
 * @param {string} text
 * @param {Capabilities} capabilities
 */
export function fits(field, text, capabilities) {
  if (text.trim() === '') return MAY_BE_EMPTY.has(field);
  const { minimum, maximum } = rangeOf(field, capabilities);
  return /^\s*-?\d+\s*$/.test(text) && Number(text) >= minimum && Number(text) <= maximum;
}
