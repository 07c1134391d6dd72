// @ts-check
/**
 * The settings of the page, and the query they become. Defaults and ranges are the gateway's (`/api/capabilities`); the presets are the page's
 * own. An option that the gateway does not offer is neither shown nor sent.
 */
import { capabilitiesFor, DEFAULT_FORMAT, offersValue, optionSchema, outputFormats } from './capabilities.js';

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {'auto' | 'photo' | 'graphic' | 'lossless'} Preset */
/**
 * @typedef {object} Settings an empty text means: not set. What means nothing for the format is kept for another, and not sent.
 * @property {string} format
 * @property {Preset} preset
 * @property {number} quality
 * @property {number} method of WebP: more effort makes smaller files
 * @property {number} speed of AVIF: more speed makes larger files
 * @property {string} width
 * @property {string} height
 * @property {string} target_kilobytes
 * @property {string} near_lossless
 * @property {string} metadata
 */

/**
 * Preset → its quality (null: the gateway's default), and what it adds to the query, as far as that means something for the format. A quality of its
 * own there hides the slider.
 */
export const PRESETS = /** @type {const} */ ({
  auto: { quality: null, adds: { lossless: 'auto', quality: 'auto' } },
  photo: { quality: null, adds: {} },
  graphic: { quality: 90, adds: { lossless: 'auto', sharp_yuv: 'true', subsampling: '4:4:4' } },
  lossless: { quality: null, adds: { lossless: 'true' } },
});
const FIRST_PRESET = 'auto';
const ALL_PRESETS = /** @type {Preset[]} */ (Object.keys(PRESETS));

/** Presets of earlier versions → today's. */
const FORMER_PRESETS = /** @type {Record<string, Preset>} */ ({ drawing: 'graphic', text: 'graphic' });

/** A retry keeps the options of its job. Sent empty, these go back to their defaults. */
const CLEARED_BY_RETRY = ['quality', 'lossless', 'near_lossless', 'sharp_yuv', 'width', 'height', 'target_bytes', 'metadata'];
/** As these do, at a gateway that offers them: an older one refuses a name that it does not know. */
const CLEARED_WHERE_OFFERED = ['format', 'quality_scale', 'subsampling'];

/** Those that mean something for a format. None where it has no quality: then there is nothing to choose. @param {string} format @param {Capabilities} capabilities */
export function presetsOf(format, capabilities) {
  const { options } = capabilitiesFor(capabilities, format);
  if (capabilities.options.quality && !options.quality) return [];
  return capabilities.options.lossless && !options.lossless ? ALL_PRESETS.filter((preset) => preset !== 'lossless') : ALL_PRESETS;
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
  const format = outputFormats(capabilities).some(({ name }) => name === given.format) ? String(given.format) : DEFAULT_FORMAT;
  const preset = presetIn(presetsOf(format, capabilities), given.preset);
  const schema = (/** @type {string} */ name) => optionSchema(capabilities, name);
  const side = (/** @type {'width' | 'height'} */ name) => sizeText(given[name], optionSchema(capabilitiesFor(capabilities, format), name).maximum);
  return {
    format,
    preset,
    quality: numberIn(schema('quality'), given.quality, PRESETS[preset].quality),
    method: numberIn(schema('method'), given.method, null),
    speed: numberIn(schema('speed'), given.speed, null),
    width: side('width'),
    height: side('height'),
    target_kilobytes: sizeText(given.target_kilobytes, Math.floor((schema('target_bytes').maximum ?? Infinity) / 1000)),
    near_lossless: isEmpty(given.near_lossless) ? '' : String(numberIn(schema('near_lossless'), given.near_lossless, null)),
    metadata: String(schema('metadata').enum?.includes(given.metadata) ? given.metadata : schema('metadata').default ?? ''),
  };
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
function presetOf({ quality, lossless, near_lossless, sharp_yuv, subsampling }) {
  if (near_lossless || lossless === 'true') return 'lossless';
  if (quality === 'auto' || (!quality && lossless === 'auto')) return 'auto';
  if (sharp_yuv === 'true' || lossless === 'auto' || subsampling === '4:4:4') return 'graphic';
  return quality ? 'photo' : FIRST_PRESET;
}

/** Whether the number of the quality has an effect. @param {Settings} settings */
export const hasQuality = ({ preset }) => preset === 'photo' || preset === 'graphic';
/** Whether a size may be set: only where the quality may change. @param {Settings} settings */
export const hasTarget = ({ preset }) => preset !== 'lossless';
/** Whether pixels may be smoothed before they are kept. @param {Settings} settings */
export const hasNearLossless = ({ preset }) => preset === 'lossless';

/**
 * With no option that means nothing for the format. The default format is not named: a gateway that offers no other takes no name.
 * @param {Settings} settings
 * @param {Capabilities} capabilities
 * @returns {Record<string, string>}
 */
export function queryOf(settings, capabilities) {
  const { format, preset, width, height, metadata } = settings;
  const offered = capabilitiesFor(capabilities, format);
  const query = /** @type {Record<string, string>} */ ({ method: String(settings.method), speed: String(settings.speed), quality: String(settings.quality) });
  if (format !== DEFAULT_FORMAT) query.format = format;
  for (const [name, value] of Object.entries(PRESETS[preset].adds)) if (offersValue(offered, name, value)) query[name] = value;
  // The names of the qualities hold for WebP's: 80 of another format would look otherwise.
  if (format !== DEFAULT_FORMAT && hasQuality(settings) && offersValue(offered, 'quality_scale', 'look')) query.quality_scale = 'look';
  if (preset === 'lossless') delete query.quality;
  if (hasNearLossless(settings) && settings.near_lossless && offered.options.near_lossless) {
    query.near_lossless = settings.near_lossless;
    delete query.lossless;
  }
  if (settings.target_kilobytes && hasTarget(settings)) query.target_bytes = String(Number(settings.target_kilobytes) * 1000);
  if (width) query.width = width;
  if (height) query.height = height;
  if (metadata !== optionSchema(capabilities, 'metadata').default) query.metadata = metadata;
  return Object.fromEntries(Object.entries(query).filter(([name]) => name in offered.options));
}

/** @param {Record<string, string>} query @param {readonly string[]} offered names of the gateway's options @returns {Record<string, string>} */
export function retryQueryOf(query, offered) {
  const cleared = [...CLEARED_BY_RETRY, ...CLEARED_WHERE_OFFERED.filter((name) => offered.includes(name))];
  return { ...Object.fromEntries(cleared.map((name) => [name, ''])), ...query };
}

/**
 * Whether there is anything to reset.
 * @param {Settings} settings
 * @param {Capabilities} capabilities
 */
export function isChanged(settings, capabilities) {
  return Object.entries(defaultSettings(capabilities)).some(([name, value]) => settings[/** @type {keyof Settings} */ (name)] !== value);
}
