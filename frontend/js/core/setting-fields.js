// @ts-check
/** What may stand in the fields of the settings, and how the qualities are called. Ranges are the gateway's. */
import { capabilitiesFor, optionSchema, outputFormats } from './capabilities.js';

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {import('./options.js').Settings} Settings */
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
  colors: { option: 'colors', unit: 1 },
  sharpen: { option: 'sharpen', unit: 1 },
  blur: { option: 'blur', unit: 1 },
});
/** @typedef {keyof typeof NUMBERS} NumberField */

/** Fields of which an empty text means: not set. */
export const MAY_BE_EMPTY = /** @type {ReadonlySet<string>} */ (new Set(['width', 'height', 'target_kilobytes', 'near_lossless', 'colors', 'sharpen', 'blur']));

/** The qualities that have a name, from the smallest file to the finest picture. 80 is the gateway's own default. */
export const QUALITY_STOPS = /** @type {const} */ ([
  { quality: 60, name: 'settings.stop_small' },
  { quality: 80, name: 'settings.stop_balanced' },
  { quality: 90, name: 'settings.stop_high' },
  { quality: 96, name: 'settings.stop_best' },
]);

/** Widths in pixels that are offered: a screen, a column of text, a message. */
export const WIDTHS = /** @type {const} */ (['1920', '1280', '800']);

/** Widths for a web page: a phone, a sharp phone or a tablet, a laptop, a screen. */
export const WEB_WIDTHS = /** @type {const} */ (['320', '640', '1280', '1920']);

/** The shapes that people cut a picture to: width and height of each. */
export const SHAPES = /** @type {const} */ (['1:1', '5:4', '4:3', '3:2', '16:9', '4:5', '3:4', '2:3', '9:16']);
/** The width of a shape, where none is set. */
const FIRST_WIDTH = '1280';

/** @param {string} width @param {string} shape */
function heightOf(width, shape) {
  const [across, down] = shape.split(':').map(Number);
  return String(Math.max(1, Math.round(Number(width) * down / across)));
}

/** One of `SHAPES`; empty where nothing is cut, `own` for another. @param {Settings} settings */
export function shapeOf({ fit, width, height }) {
  if (fit !== 'cover') return '';
  return SHAPES.find((shape) => heightOf(width, shape) === height) ?? 'own';
}

/** @param {Settings} settings @param {string} shape @returns {Settings} */
export function withShape(settings, shape) {
  if (!shape) return { ...settings, fit: 'inside', height: '' };
  const width = settings.width || FIRST_WIDTH;
  return { ...settings, width, height: shape === 'own' ? settings.height : heightOf(width, shape), fit: 'cover' };
}

/** Another width leaves the shape as it is; none gives it up. @param {Settings} before @param {string} width @returns {Settings} */
export function withWidth(before, width) {
  const shape = shapeOf(before);
  return shape ? withShape({ ...before, width }, width && shape) : { ...before, width };
}

/** Key of the name that is nearest to a quality. @param {number} quality */
export function nameOfQuality(quality) {
  const distance = (/** @type {{quality: number}} */ stop) => Math.abs(stop.quality - quality);
  return QUALITY_STOPS.reduce((best, stop) => distance(stop) < distance(best) ? stop : best).name;
}

/** Keys of what is lost in a format, or need not be chosen; none for several. @param {string} format @param {Capabilities} capabilities @returns {string[]} */
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
  return hasDecimals(field, capabilities) ? { minimum, maximum } : { minimum: Math.ceil(minimum / unit), maximum: Math.floor(maximum / unit) };
}

/** Whether a field takes tenths. @param {NumberField} field @param {Capabilities} capabilities */
export const hasDecimals = (field, capabilities) => optionSchema(capabilities, NUMBERS[field].option).type === 'number';

/**
 * Whether a text is a number of the field's range, with tenths where it takes them, or empty where that means something.
 * @param {NumberField} field
 * @param {string} text
 * @param {Capabilities} capabilities
 */
export function fits(field, text, capabilities) {
  if (text.trim() === '') return MAY_BE_EMPTY.has(field);
  const { minimum, maximum } = rangeOf(field, capabilities);
  const pattern = hasDecimals(field, capabilities) ? /^\s*\d+([.]\d)?\s*$/ : /^\s*-?\d+\s*$/;
  return pattern.test(text) && Number(text) >= minimum && Number(text) <= maximum;
}
