// @ts-check
/** The settings of the page, their presets, and the query they become. What the server does not offer is neither shown nor sent. */

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {'photo' | 'drawing' | 'text' | 'lossless'} Preset */
/**
 * @typedef {object} Settings empty text: not set
 * @property {Preset} preset
 * @property {number} quality
 * @property {number} method
 * @property {string} width
 * @property {string} height
 * @property {string} target_kilobytes
 * @property {string} metadata
 */

/** Each preset: its own quality, and what it adds to the query. */
export const PRESETS = /** @type {const} */ ({
  photo: { quality: 80, adds: {} },
  drawing: { quality: 90, adds: { sharp_yuv: 'true' } },
  text: { quality: 60, adds: { near_lossless: 'quality' } },
  lossless: { quality: 75, adds: { lossless: 'true' } },
});

/** @type {Settings} */
export const DEFAULTS = { preset: 'photo', quality: 80, method: 4, width: '', height: '', target_kilobytes: '', metadata: 'none' };

/**
 * Settings from anything that was stored: what cannot be used becomes the default.
 * @param {unknown} stored
 * @returns {Settings}
 */
export function readSettings(stored) {
  const given = /** @type {Record<string, unknown>} */ (stored && typeof stored === 'object' ? stored : {});
  const preset = Object.hasOwn(PRESETS, String(given.preset)) ? /** @type {Preset} */ (given.preset) : DEFAULTS.preset;
  return {
    preset,
    quality: within(given.quality, 0, 100, PRESETS[preset].quality),
    method: within(given.method, 0, 6, DEFAULTS.method),
    width: sizeText(given.width, 16383),
    height: sizeText(given.height, 16383),
    target_kilobytes: sizeText(given.target_kilobytes, 1 << 20),
    metadata: ['none', 'copyright', 'all'].includes(String(given.metadata)) ? String(given.metadata) : DEFAULTS.metadata,
  };
}

/**
 * @param {unknown} value
 * @param {number} low
 * @param {number} high
 * @param {number} otherwise
 */
function within(value, low, high, otherwise) {
  const number = value === '' || value === null || value === undefined ? NaN : Math.round(Number(value));
  return Number.isFinite(number) ? Math.min(Math.max(number, low), high) : otherwise;
}

/**
 * @param {unknown} value
 * @param {number} high
 */
function sizeText(value, high) {
  const number = Math.round(Number(value));
  return number > 0 ? String(Math.min(number, high)) : '';
}

/** What the form's raw values become; a new preset brings its own quality. @param {Record<string, unknown>} values @param {boolean} is_preset */
export function settingsAfter(values, is_preset) {
  return readSettings(is_preset ? { ...values, quality: PRESETS[/** @type {Preset} */ (values.preset)].quality } : values);
}

/**
 * The settings that an image was sent with, from its query.
 * @param {Record<string, string>} query
 * @returns {Settings}
 */
export function settingsOf(query) {
  const preset = query.near_lossless ? 'text' : query.lossless ? 'lossless' : query.sharp_yuv ? 'drawing' : 'photo';
  const target_kilobytes = query.target_bytes ? Number(query.target_bytes) / 1000 : '';
  return readSettings({ ...query, preset, quality: query.near_lossless ?? query.quality, target_kilobytes });
}

/** Whether the quality has a meaning. @param {Settings} settings */
export const hasQuality = (settings) => settings.preset !== 'lossless';
/** Whether a size in bytes can be aimed at: only where quality may give way. @param {Settings} settings */
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
  if (settings.metadata !== DEFAULTS.metadata) query.metadata = settings.metadata;
  return Object.fromEntries(Object.entries(query).filter(([name]) => name in capabilities.options));
}

/**
 * Whether the browser's memory of settings differs from a fresh start.
 * @param {Settings} settings
 */
export function isChanged(settings) {
  return Object.entries(DEFAULTS).some(([name, value]) => settings[/** @type {keyof Settings} */ (name)] !== value);
}
