// @ts-check
/**
 * The settings of the page, and the query they become. Defaults and ranges are the gateway's (`/api/capabilities`); the presets are the page's
 * own. An option that the gateway does not offer is neither shown nor sent.
 */
import { optionSchema } from './capabilities.js';

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {'photo' | 'drawing' | 'text' | 'lossless'} Preset */
/**
 * @typedef {object} Settings an empty text means: not set
 * @property {Preset} preset
 * @property {number} quality
 * @property {number} method
 * @property {string} width
 * @property {string} height
 * @property {string} target_kilobytes
 * @property {string} metadata
 */

/** Preset → its quality (null: the gateway's default), and what it adds to the query. */
export const PRESETS = /** @type {const} */ ({
  photo: { quality: null, adds: {} },
  drawing: { quality: 90, adds: { sharp_yuv: 'true' } },
  text: { quality: 60, adds: { near_lossless: 'quality' } },
  lossless: { quality: null, adds: { lossless: 'true' } },
});
const FIRST_PRESET = 'photo';

/** A retry keeps the options of its job. Sent empty, these go back to their defaults. */
const CLEARED_BY_RETRY = { lossless: '', near_lossless: '', sharp_yuv: '', width: '', height: '', target_bytes: '', metadata: '' };

/** What a new visitor has. @param {Capabilities} capabilities */
export const defaultSettings = (capabilities) => readSettings({}, capabilities);

/**
 * Settings from anything that was stored. A value out of range goes to the nearest bound; one that makes no sense becomes the default.
 * @param {unknown} stored
 * @param {Capabilities} capabilities
 * @returns {Settings}
 */
export function readSettings(stored, capabilities) {
  const given = /** @type {Record<string, unknown>} */ (stored && typeof stored === 'object' ? stored : {});
  const preset = Object.hasOwn(PRESETS, String(given.preset)) ? /** @type {Preset} */ (given.preset) : FIRST_PRESET;
  const schema = (/** @type {string} */ name) => optionSchema(capabilities, name);
  return {
    preset,
    quality: numberIn(schema('quality'), given.quality, PRESETS[preset].quality),
    method: numberIn(schema('method'), given.method, null),
    width: sizeText(given.width, schema('width').maximum),
    height: sizeText(given.height, schema('height').maximum),
    target_kilobytes: sizeText(given.target_kilobytes, Math.floor((schema('target_bytes').maximum ?? Infinity) / 1000)),
    metadata: String(schema('metadata').enum?.includes(given.metadata) ? given.metadata : schema('metadata').default ?? ''),
  };
}

/**
 * @param {import('./types.js').OptionSchema} schema
 * @param {unknown} value
 * @param {number | null} preferred instead of the option's default
 */
function numberIn({ minimum = 0, maximum = Infinity, default: fallback = 0 }, value, preferred) {
  const number = value === '' || value === null || value === undefined ? NaN : Math.round(Number(value));
  return Number.isFinite(number) ? Math.min(Math.max(number, minimum), maximum) : preferred ?? Number(fallback);
}

/**
 * @param {unknown} value
 * @param {number} [maximum]
 */
function sizeText(value, maximum = Infinity) {
  const number = Math.round(Number(value));
  return number > 0 ? String(Math.min(number, maximum)) : '';
}

/**
 * Settings from the raw values of the form. A new preset brings its own quality.
 * @param {Record<string, unknown>} values
 * @param {boolean} is_new_preset
 * @param {Capabilities} capabilities
 */
export function settingsOfForm(values, is_new_preset, capabilities) {
  return readSettings(is_new_preset ? { ...values, quality: null } : values, capabilities);
}

/**
 * The settings that an image was sent with, from its query.
 * @param {Record<string, string>} query
 * @param {Capabilities} capabilities
 * @returns {Settings}
 */
export function settingsOfQuery(query, capabilities) {
  const preset = query.near_lossless ? 'text' : query.lossless ? 'lossless' : query.sharp_yuv ? 'drawing' : 'photo';
  const target_kilobytes = query.target_bytes ? Number(query.target_bytes) / 1000 : '';
  return readSettings({ ...query, preset, quality: query.near_lossless ?? query.quality, target_kilobytes }, capabilities);
}

/** Whether the quality has an effect. @param {Settings} settings */
export const hasQuality = (settings) => settings.preset !== 'lossless';
/** Whether a target size has an effect: only where the quality may change. @param {Settings} settings */
export const hasTarget = (settings) => settings.preset === 'photo' || settings.preset === 'drawing';

/**
 * @param {Settings} settings
 * @param {Capabilities} capabilities
 * @returns {Record<string, string>}
 */
export function queryOf(settings, capabilities) {
  /** @type {Record<string, string>} */
  const query = { method: String(settings.method) };
  const adds = /** @type {Record<string, string>} */ (PRESETS[settings.preset].adds);
  if (adds.near_lossless && capabilities.options.near_lossless) query.near_lossless = String(settings.quality);
  else if (adds.near_lossless || adds.lossless) query.lossless = 'true';
  else query.quality = String(settings.quality);
  if (adds.sharp_yuv) query.sharp_yuv = adds.sharp_yuv;
  if (settings.width) query.width = settings.width;
  if (settings.height) query.height = settings.height;
  if (settings.target_kilobytes && hasTarget(settings)) query.target_bytes = String(Number(settings.target_kilobytes) * 1000);
  if (settings.metadata !== optionSchema(capabilities, 'metadata').default) query.metadata = settings.metadata;
  return Object.fromEntries(Object.entries(query).filter(([name]) => name in capabilities.options));
}

/** @param {Record<string, string>} query @returns {Record<string, string>} */
export const retryQueryOf = (query) => ({ ...CLEARED_BY_RETRY, ...query });

/**
 * Whether there is anything to reset.
 * @param {Settings} settings
 * @param {Capabilities} capabilities
 */
export function isChanged(settings, capabilities) {
  return Object.entries(defaultSettings(capabilities)).some(([name, value]) => settings[/** @type {keyof Settings} */ (name)] !== value);
}
