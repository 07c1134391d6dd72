// @ts-check
/** The query that settings become, and the settings that a query was made of. */
import { capabilitiesFor, DEFAULT_FORMAT, offersValue, optionSchema, WEB } from './capabilities.js';
import { formatsOf, hasQuality, readSettings } from './options.js';

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {import('./options.js').Preset} Preset */
/** @typedef {import('./options.js').Settings} Settings */

/** What a preset adds to the query, as far as that means something for the format. A quality of its own there hides the slider. @type {Record<Preset, Record<string, string>>} */
const ADDED = {
  auto: { lossless: 'auto', quality: 'auto' },
  photo: {},
  graphic: { lossless: 'auto', sharp_yuv: 'true', subsampling: '4:4:4' },
  lossless: { lossless: 'true' },
};

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
  const web = query.widths || query.formats ? { format: WEB, formats: query.formats ?? query.format ?? DEFAULT_FORMAT, widths: query.widths ?? '' } : {};
  return readSettings({ near_lossless: '', ...query, gravity: query.gravity ?? (query.fit ? 'centre' : ''), ...web, preset: presetOf(query), target_kilobytes }, capabilities);
}

/** @param {Record<string, string>} query @returns {Preset} */
function presetOf({ quality, lossless, near_lossless, sharp_yuv, subsampling }) {
  if (near_lossless || lossless === 'true') return 'lossless';
  if (quality === 'auto' || (!quality && lossless === 'auto')) return 'auto';
  if (sharp_yuv === 'true' || lossless === 'auto' || subsampling === '4:4:4') return 'graphic';
  return quality ? 'photo' : 'auto';
}

/** Whether a size may be set: only where the quality may change. @param {Settings} settings */
export const hasTarget = ({ preset }) => preset !== 'lossless';
/** Whether pixels may be smoothed before they are kept. @param {Settings} settings */
export const hasNearLossless = ({ preset }) => preset === 'lossless';

/**
 * With no option that means nothing for the formats. The default format is not named: a gateway that offers no other takes no name.
 * @param {Settings} settings
 * @param {Capabilities} capabilities
 * @returns {Record<string, string>}
 */
export function queryOf(settings, capabilities) {
  const formats = formatsOf(settings);
  const offered = capabilitiesFor(capabilities, formats);
  const query = /** @type {Record<string, string>} */ ({ method: String(settings.method), speed: String(settings.speed), ...queryOfShape(settings), ...queryOfKind(settings, offered), ...queryOfSteps(settings) });
  // The names of the qualities hold for WebP's: 80 of another format would look otherwise.
  if (formats.join() !== DEFAULT_FORMAT && hasQuality(settings) && offersValue(offered, 'quality_scale', 'look')) query.quality_scale = 'look';
  if (settings.metadata !== optionSchema(capabilities, 'metadata').default) query.metadata = settings.metadata;
  return Object.fromEntries(Object.entries(query).filter(([name]) => name in offered.options));
}

/** @param {Settings} settings @param {Capabilities} offered for the formats @returns {Record<string, string>} */
function queryOfKind(settings, offered) {
  const { preset, near_lossless, target_kilobytes } = settings;
  const query = /** @type {Record<string, string>} */ ({ quality: String(settings.quality) });
  for (const [name, value] of Object.entries(ADDED[preset])) if (offersValue(offered, name, value)) query[name] = value;
  if (preset === 'lossless') delete query.quality;
  if (hasNearLossless(settings) && near_lossless && offered.options.near_lossless) {
    query.near_lossless = near_lossless;
    delete query.lossless;
  }
  if (target_kilobytes && hasTarget(settings)) query.target_bytes = String(Number(target_kilobytes) * 1000);
  return query;
}

/** What comes out: one format and size, or several for a web page. @param {Settings} settings @returns {Record<string, string>} */
function queryOfShape({ format, formats, widths, width, height, fit, gravity }) {
  if (format === WEB) return { ...(widths && { widths }), formats };
  return {
    ...(format !== DEFAULT_FORMAT && { format }), ...(width && { width }), ...(height && { height }),
    ...(fit === 'cover' && { fit, ...(gravity !== 'centre' && { gravity }) }),
  };
}

/** @param {Settings} settings @returns {Record<string, string>} */
function queryOfSteps({ colors, progressive, sharpen, blur, trim, watermark }) {
  return { ...(watermark && { watermark }), ...(colors && { colors }), ...(!progressive && { progressive: 'false' }), ...(sharpen && { sharpen }), ...(blur && { blur }), ...(trim && { trim }) };
}
