// @ts-check
/**
 * The settings of the page, and the query they become. Defaults and ranges are the gateway's (`/api/capabilities`); the presets are the page's
 * own. An option that the gateway does not offer is neither shown nor sent.
 */
import { offersValue, optionSchema } from './capabilities.js';

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {'auto' | 'photo' | 'graphic' | 'lossless'} Preset */
/**
 * @typedef {object} Settings an empty text means: not set
 * @property {Preset} preset
 * @property {number} quality
 * @property {number} method
 * @property {string} width
 * @property {string} height
 * @property {string} target_kilobytes
 * @property {string} near_lossless
 * @property {string} metadata
 */

/** Preset → its quality (null: the gateway's default), and what it adds to the query. A quality of its own there hides the slider. */
export const PRESETS = /** @type {const} */ ({
  auto: { quality: null, adds: { lossless: 'auto', quality: 'auto' } },
  photo: { quality: null, adds: {} },
  graphic: { quality: 90, adds: { lossless: 'auto', sharp_yuv: 'true' } },
  lossless: { quality: null, adds: { lossless: 'true' } },
});
const FIRST_PRESET = 'auto';

/** Presets of earlier versions → today's. */
const FORMER_PRESETS = /** @type {Record<string, Preset>} */ ({ drawing: 'graphic', text: 'graphic' });

/** A retry keeps the options of its job. Sent empty, these go back to their defaults. */
const CLEARED_BY_RETRY = { quality: '', lossless: '', near_lossless: '', sharp_yuv: '', width: '', height: '', target_bytes: '', metadata: '' };

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
  const preset = Object.hasOwn(PRESETS, String(given.preset)) ? /** @type {Preset} */ (given.preset) : FIRST_PRESET;
  const schema = (/** @type {string} */ name) => optionSchema(capabilities, name);
  return {
    preset,
    quality: numberIn(schema('quality'), given.quality, PRESETS[preset].quality),
    method: numberIn(schema('method'), given.method, null),
    width: sizeText(given.width, schema('width').maximum),
    height: sizeText(given.height, schema('height').maximum),
    target_kilobytes: sizeText(given.target_kilobytes, Math.floor((schema('target_bytes').maximum ?? Infinity) / 1000)),
    near_lossless: isEmpty(given.near_lossless) ? '' : String(numberIn(schema('near_lossless'), given.near_lossless, null)),
    metadata: String(schema('metadata').enum?.includes(given.metadata) ? given.metadata : schema('metadata').default ?? ''),
  };
}

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
function numberIn({ minimum = 0, maximum = Infinity, default: fallback = 0 }, value, preferred) {
  return isEmpty(value) ? preferred ?? Number(fallback) : Math.min(Math.max(Math.round(Number(value)), minimum), maximum);
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
  return readSettings({ near_lossless: '', ...values, ...(is_new_preset ? { quality: null } : {}) }, capabilities);
}

/**
 * The settings that an image was sent with, from its query.
 * @param {Record<string, string>} query
 * @param {Capabilities} capabilities
 * @returns {Settings}
 */
export function settingsOfQuery(query, capabilities) {
  const target_kilobytes = query.target_bytes ? Number(query.target_bytes) / 1000 : '';
  return readSettings({ near_lossless: '', ...query, preset: presetOf(query), target_kilobytes }, capabilities);
}

/** @param {Record<string, string>} query @returns {Preset} */
function presetOf({ quality, lossless, near_lossless, sharp_yuv }) {
  if (near_lossless || lossless === 'true') return 'lossless';
  if (quality === 'auto' || (!quality && lossless === 'auto')) return 'auto';
  if (sharp_yuv === 'true' || lossless === 'auto') return 'graphic';
  return quality ? 'photo' : FIRST_PRESET;
}

/** Whether the number of the quality has an effect. @param {Settings} settings */
export const hasQuality = ({ preset }) => preset === 'photo' || preset === 'graphic';
/** Whether a size may be set: only where the quality may change. @param {Settings} settings */
export const hasTarget = ({ preset }) => preset !== 'lossless';
/** Whether pixels may be smoothed before they are kept. @param {Settings} settings */
export const hasNearLossless = ({ preset }) => preset === 'lossless';

/**
 * @param {Settings} settings
 * @param {Capabilities} capabilities
 * @returns {Record<string, string>}
 */
export function queryOf(settings, capabilities) {
  const { preset, width, height, metadata } = settings;
  const query = /** @type {Record<string, string>} */ ({ method: String(settings.method), quality: String(settings.quality) });
  for (const [name, value] of Object.entries(PRESETS[preset].adds)) if (offersValue(capabilities, name, value)) query[name] = value;
  if (preset === 'lossless') delete query.quality;
  if (hasNearLossless(settings) && settings.near_lossless && capabilities.options.near_lossless) {
    query.near_lossless = settings.near_lossless;
    delete query.lossless;
  }
  if (settings.target_kilobytes && hasTarget(settings)) query.target_bytes = String(Number(settings.target_kilobytes) * 1000);
  if (width) query.width = width;
  if (height) query.height = height;
  if (metadata !== optionSchema(capabilities, 'metadata').default) query.metadata = metadata;
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
