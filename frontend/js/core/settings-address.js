// @ts-check
/**
 * Settings as the part of an address after `#`: names and values are the API's options, as in its query. The defaults need none. Where
 * `quality=auto` stands, `lossless=auto` goes without saying: together they are Automatic.
 */
import { capabilitiesFor, DEFAULT_FORMAT, offersValue, optionSchema, outputFormats, webFormats } from './capabilities.js';
import { GRAVITIES, isChanged, MOST_WIDTHS, readWidths, widestForWeb } from './options.js';
import { queryOf, settingsOfQuery } from './settings-query.js';

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {import('./options.js').Settings} Settings */
/** @typedef {{settings: Settings, unknown: string[], meaningless: string[], refused: {name: string, value: string, accepted: string}[]}} Link what an address says, and what of it is not used; `meaningless` for its format */

/** The options that the page has settings for. */
const NAMES = ['format', 'formats', 'widths', 'quality', 'quality_scale', 'lossless', 'near_lossless', 'sharp_yuv', 'subsampling', 'method', 'speed', 'target_bytes', 'width', 'height', 'fit', 'gravity', 'trim', 'sharpen', 'blur', 'watermark', 'colors', 'progressive', 'metadata'];
/** For a web page, these say nothing. */
const NOT_FOR_WEB = ['format', 'width', 'height', 'fit', 'gravity'];
/** An address may hold anything: so much of a name or a value is repeated to the reader. */
const SHOWN_CHARACTERS = 40;
const SHOWN_NAMES = 5;

/** @param {Settings} settings @param {Capabilities} capabilities @returns {string} empty for the defaults */
export const hashOf = (settings, capabilities) => isChanged(settings, capabilities) ? linkOf(settings, capabilities) : '';

/** As `hashOf`, and the defaults in words: whoever opens the link may have others. @param {Settings} settings @param {Capabilities} capabilities */
export function linkOf(settings, capabilities) {
  const query = queryOf(settings, capabilities);
  const is_implied = (/** @type {string} */ name, /** @type {string} */ value) =>
    (name === 'lossless' && value === 'auto' && query.quality === 'auto') || ((name === 'method' || name === 'speed') && value === String(optionSchema(capabilities, name).default));
  const pairs = Object.entries(query).filter(([name, value]) => !is_implied(name, value)).sort(([one], [other]) => NAMES.indexOf(one) - NAMES.indexOf(other));
  return `#${String(new URLSearchParams(pairs)).replaceAll('%2C', ',')}`;
}

/** Whether the part after `#` names settings, and not a place on the page. @param {string} hash */
export const hasSettings = (hash) => hash.includes('=');

/**
 * @param {string} hash
 * @param {Capabilities} capabilities
 * @returns {Link}
 */
export function readLink(hash, capabilities) {
  const query = /** @type {Record<string, string>} */ ({});
  const link = /** @type {Link} */ ({ settings: settingsOfQuery({}, capabilities), unknown: [], meaningless: [], refused: [] });
  const pairs = new URLSearchParams(hash.replace(/^#/, ''));
  const known = withFormats(capabilities);
  const offered = offeredFor(pairs, known);
  for (const [name, value] of pairs) {
    if (!NAMES.includes(name) || !(name in known.options)) link.unknown.push(name.slice(0, SHOWN_CHARACTERS));
    else if (!(name in offered.options)) link.meaningless.push(name);
    else if (accepts(offered, name, value)) query[name] = value;
    else link.refused.push({ name, value: value.slice(0, SHOWN_CHARACTERS), accepted: acceptedText(offered, name) });
  }
  link.unknown = [...new Set(link.unknown)].slice(0, SHOWN_NAMES);
  link.meaningless = [...new Set(link.meaningless)].slice(0, SHOWN_NAMES);
  link.refused = link.refused.slice(0, SHOWN_NAMES);
  link.settings = settingsOfQuery(query, capabilities);
  return link;
}

/** For the formats that the link names. @param {URLSearchParams} pairs @param {Capabilities} capabilities @returns {Capabilities} */
function offeredFor(pairs, capabilities) {
  const named = (/** @type {string} */ name) => accepts(capabilities, name, pairs.get(name) ?? '') ? pairs.get(name) ?? '' : '';
  if (!named('widths') && !named('formats')) return capabilitiesFor(capabilities, named('format') || DEFAULT_FORMAT);
  const offered = capabilitiesFor(capabilities, (named('formats') || DEFAULT_FORMAT).split(','));
  return { ...offered, options: Object.fromEntries(Object.entries(offered.options).filter(([name]) => !NOT_FOR_WEB.includes(name))) };
}

/** With those values that the page has: formats without `auto`, which is for clients that say what they show; a number for the effort; one scale; two ways to fit. @param {Capabilities} capabilities @returns {Capabilities} */
function withFormats(capabilities) {
  const { format, quality_scale, fit, gravity, method, ...others } = capabilities.options;
  const { anyOf: _, ...effort } = optionSchema(capabilities, 'method');
  const names = outputFormats(capabilities).map(({ name }) => name);
  const narrowed = { ...(method && { method: effort }), ...(fit && { fit: { ...fit, enum: ['inside', 'cover'] } }), ...(gravity && { gravity: { ...gravity, enum: GRAVITIES } }) };
  if (names.length === 0) return { ...capabilities, options: { ...others, ...narrowed } };
  return { ...capabilities, options: { ...others, ...narrowed, format: { ...format, enum: names }, ...(quality_scale && { quality_scale: { ...quality_scale, enum: ['look'] } }) } };
}

/** @param {Capabilities} capabilities @param {string} name @param {string} value */
function accepts(capabilities, name, value) {
  if (name === 'formats') return value.split(',').every((each) => webFormats(capabilities).includes(each));
  if (name === 'widths') return isListOfWidths(value, capabilities);
  if (name === 'watermark') return capabilities.watermarks?.includes(value) ?? false;
  const { minimum, maximum, type } = optionSchema(capabilities, name);
  const pattern = type === 'number' ? /^\d{1,9}(\.\d{1,9})?$/ : /^\d{1,12}$/;
  const is_number = minimum !== undefined && maximum !== undefined && pattern.test(value);
  return is_number ? Number(value) >= minimum && Number(value) <= maximum : offersValue(capabilities, name, value);
}

/** @param {string} value @param {Capabilities} capabilities */
function isListOfWidths(value, capabilities) {
  const { widths, wrong } = readWidths(value, capabilities);
  return wrong.length === 0 && widths.length > 0 && widths.length <= MOST_WIDTHS;
}

/** As the API's errors say it: `0–100, auto`. @param {Capabilities} capabilities @param {string} name */
function acceptedText(capabilities, name) {
  if (name === 'formats') return webFormats(capabilities).join();
  if (name === 'watermark') return (capabilities.watermarks ?? []).join(', ');
  if (name === 'widths') return `1–${widestForWeb(capabilities)} (≤ ${MOST_WIDTHS})`;
  const option = capabilities.options[name];
  return [option, ...option.anyOf ?? []].flatMap((each) => {
    if (each.minimum !== undefined && each.maximum !== undefined) return [`${each.minimum}–${each.maximum}`];
    if (each.type === 'boolean') return ['true, false'];
    return each.const === undefined ? each.enum ?? [] : [each.const];
  }).join(', ');
}
