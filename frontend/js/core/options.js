// @ts-check
/**
 * The settings of the page. Defaults and ranges are the gateway's (`/api/capabilities`); the presets are the page's own. An option that the
 * gateway does not offer is neither shown nor sent. `settings-query.js` has the query that they become.
 */
import { capabilitiesFor, DEFAULT_FORMAT, optionSchema, outputFormats, WEB, webFormats } from './capabilities.js';

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {'auto' | 'photo' | 'graphic' | 'lossless'} Preset */
/**
 * @typedef {object} Settings an empty text means: not set. What means nothing for the format is kept for another, and not sent.
 * @property {string} format or `WEB`
 * @property {string} formats with commas, where the format is `WEB`; `widths` too
 * @property {string} widths
 * @property {Preset} preset
 * @property {number} quality
 * @property {number} method of WebP: more effort makes smaller files
 * @property {number} speed of AVIF: more speed makes larger files
 * @property {string} width
 * @property {string} height
 * @property {string} target_kilobytes
 * @property {string} near_lossless
 * @property {string} metadata
 * @property {string} colors of a palette, for PNG
 * @property {boolean} progressive of JPEG
 * @property {'inside' | 'cover'} fit `cover`: both sides are as set, and what is beyond them is cut off
 * @property {string} gravity what is kept then
 * @property {string} sharpen
 * @property {string} blur
 * @property {string} watermark name of a mark; empty for none
 * @property {string} trim how far the colour of a border may vary
 */

/** Preset → its quality; null: the gateway's default. `settings-query.js` has what each adds to the query. */
export const QUALITIES = /** @type {const} */ ({ auto: null, photo: null, graphic: 90, lossless: null });
const FIRST_PRESET = 'auto';
const ALL_PRESETS = /** @type {Preset[]} */ (Object.keys(QUALITIES));

/** Presets of earlier versions → today's. */
const FORMER_PRESETS = /** @type {Record<string, Preset>} */ ({ drawing: 'graphic', text: 'graphic' });

/** Where nobody sets them: a phone, a tablet, and a screen or a sharp phone. */
const FIRST_WIDTHS = '640,1280,1920';
/** The gateway's bound. */
export const MOST_WIDTHS = 12;
/** What may be kept of a picture that is cut. */
export const GRAVITIES = ['centre', 'attention'];

/** The output formats that the settings ask for. @param {Pick<Settings, 'format' | 'formats'>} settings */
export const formatsOf = ({ format, formats }) => format === WEB ? formats.split(',') : [format];

/** Those that mean something for all of the formats. None where no format has a quality: then there is nothing to choose. @param {string | string[]} formats @param {Capabilities} capabilities */
export function presetsOf(formats, capabilities) {
  const each = [formats].flat().map((format) => capabilitiesFor(capabilities, format).options);
  if (capabilities.options.quality && each.every(({ quality }) => !quality)) return [];
  const is_lossy = each.some(({ quality, lossless }) => quality && !lossless);
  return capabilities.options.lossless && is_lossy ? ALL_PRESETS.filter((preset) => preset !== 'lossless') : ALL_PRESETS;
}

/** What a new visitor has. @param {Capabilities} capabilities */
export const defaultSettings = (capabilities) => readSettings({}, capabilities);

/**
 * Settings from anything that was stored. A value out of range goes to the nearest bound; one that makes no sense becomes the default.
 * @param {unknown} stored
 * @param {Capabilities} capabilities
 * @returns {Settings}
 */
export function readSettings(stored, capabilities) {
  const given = withoutFormerPreset(/** @type {Record<string, unknown>} */ (stored && typeof stored === 'object' ? stored : {}), capabilities);
  const [format, formats] = formatsIn(given, capabilities);
  const names = formatsOf({ format, formats });
  const preset = presetIn(presetsOf(names, capabilities), given.preset);
  const schema = (/** @type {string} */ name) => optionSchema(capabilities, name);
  const side = (/** @type {'width' | 'height'} */ name) => sizeText(given[name], optionSchema(capabilitiesFor(capabilities, names), name).maximum);
  const number = (/** @type {string} */ name) => optionalText(schema(name), given[name]);
  const [width, height] = [side('width'), side('height')];
  return {
    format, formats, preset, width, height,
    widths: readWidths(String(given.widths ?? FIRST_WIDTHS), capabilities).widths.slice(0, MOST_WIDTHS).join(),
    quality: numberIn(schema('quality'), given.quality, QUALITIES[preset]),
    method: numberIn(schema('method'), given.method, null),
    speed: numberIn(schema('speed'), given.speed, null),
    target_kilobytes: sizeText(given.target_kilobytes, Math.floor((schema('target_bytes').maximum ?? Infinity) / 1000)),
    near_lossless: number('near_lossless'),
    metadata: String(schema('metadata').enum?.includes(given.metadata) ? given.metadata : schema('metadata').default ?? ''),
    colors: number('colors'),
    progressive: String(given.progressive) !== 'false',
    fit: given.fit === 'cover' && width && height ? 'cover' : 'inside',
    gravity: GRAVITIES.find((each) => each === given.gravity) ?? 'attention',
    sharpen: number('sharpen'), blur: number('blur'), trim: number('trim'),
    watermark: capabilities.watermarks?.find((name) => name === given.watermark) ?? '',
  };
}

/** The format, and those for a web page. @param {Record<string, unknown>} given @param {Capabilities} capabilities @returns {[string, string]} */
function formatsIn(given, capabilities) {
  const offered = webFormats(capabilities);
  const wanted = offered.filter((name) => String(given.formats).split(',').includes(name));
  const formats = (wanted.length > 0 ? wanted : offered.filter((name) => name !== 'png')).join();
  if (given.format === WEB && formats) return [WEB, formats];
  return [outputFormats(capabilities).some(({ name }) => name === given.format) ? String(given.format) : DEFAULT_FORMAT, formats];
}

/** Each width is made in each format. @param {Capabilities} capabilities */
export const widestForWeb = (capabilities) => capabilitiesFor(capabilities, webFormats(capabilities)).limits.side_pixels;

/**
 * Widths from what somebody wrote: each once, from the smallest. `wrong` has what is no width that the gateway makes.
 * @param {string} text
 * @param {Capabilities} capabilities
 */
export function readWidths(text, capabilities) {
  const maximum = widestForWeb(capabilities);
  const written = text.split(/[\s,;，；、]+/).filter(Boolean);
  const isFit = (/** @type {string} */ each) => /^\d{1,9}$/.test(each) && Number(each) >= 1 && Number(each) <= maximum;
  return { widths: [...new Set(written.filter(isFit).map(Number))].sort((a, b) => a - b), wrong: written.filter((each) => !isFit(each)) };
}

/** Where none is offered, any is kept for another format. @param {Preset[]} offered @param {unknown} given @returns {Preset} */
const presetIn = (offered, given) => (offered.length > 0 ? offered : ALL_PRESETS).find((preset) => preset === given) ?? FIRST_PRESET;

/**
 * What an earlier version stored, in today's words. There the first preset was Photo: who never touched the kind or the quality gets Automatic.
 * @param {Record<string, unknown>} given
 * @param {Capabilities} capabilities
 */
function withoutFormerPreset(given, capabilities) {
  const former = FORMER_PRESETS[String(given.preset)];
  if (former) return { ...given, preset: former, quality: null };
  if (given.preset !== 'photo' || 'near_lossless' in given) return given;
  const is_untouched = ['quality', 'method'].every((name) => given[name] === optionSchema(capabilities, name).default);
  return is_untouched ? { ...given, preset: 'auto' } : given;
}

/** @param {unknown} value */
const isEmpty = (value) => value === '' || value === null || value === undefined || !Number.isFinite(Number(value));

/**
 * @param {import('./types.js').OptionSchema} schema
 * @param {unknown} value
 * @param {number | null} preferred instead of the option's default
 */
function numberIn({ minimum = 0, maximum = Infinity, default: fallback = 0, type }, value, preferred) {
  const step = type === 'number' ? 10 : 1;
  return isEmpty(value) ? preferred ?? Number(fallback) : Math.min(Math.max(Math.round(step * Number(value)) / step, minimum), maximum);
}

/** Of a number that need not be set; the default goes without saying. @param {import('./types.js').OptionSchema} schema @param {unknown} value */
function optionalText(schema, value) {
  const text = isEmpty(value) ? '' : String(numberIn(schema, value, null));
  return text === String(schema.default) ? '' : text;
}

/**
 * @param {unknown} value
 * @param {number} [maximum]
 */
function sizeText(value, maximum = Infinity) {
  const number = Math.round(Number(value));
  return number > 0 ? String(Math.min(number, maximum)) : '';
}

/** Whether the number of the quality has an effect. @param {Settings} settings */
export const hasQuality = ({ preset }) => preset === 'photo' || preset === 'graphic';

/**
 * Whether there is anything to reset.
 * @param {Settings} settings
 * @param {Capabilities} capabilities
 */
export function isChanged(settings, capabilities) {
  return Object.entries(defaultSettings(capabilities)).some(([name, value]) => settings[/** @type {keyof Settings} */ (name)] !== value);
}
