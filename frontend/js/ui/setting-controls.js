// @ts-check
/** The fields of the settings' form. Each has the id of its setting behind the form's prefix, and is translated by `showTexts`. */
import { el } from './dom.js';
import { formatName, outputFormats, WEB, webFormats } from '../core/capabilities.js';
import { GRAVITIES } from '../core/options.js';
import { NUMBERS, QUALITY_STOPS, SHAPES, WEB_WIDTHS, WIDTHS } from '../core/setting-fields.js';

/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/setting-fields.js').NumberField} NumberField */

/** Format → key of what it is good for. */
const FORMAT_HINTS = /** @type {Record<string, string>} */ ({ [WEB]: 'settings.web_hint', webp: 'settings.webp_hint', avif: 'settings.avif_hint', jpeg: 'settings.jpeg_hint', png: 'settings.png_hint' });
/** Preset → keys of its name and of what it is for. */
const CARDS = /** @type {const} */ ({
  auto: ['settings.auto', 'settings.auto_hint'],
  photo: ['settings.photo', 'settings.photo_hint'],
  graphic: ['settings.graphic', 'settings.graphic_hint'],
  lossless: ['settings.lossless', 'settings.lossless_hint'],
});
/** Numbers that trade time for size, between what they mean at their ends. */
const DIALS = /** @type {const} */ ({
  method: ['settings.method', 'settings.method_low', 'settings.method_high'],
  speed: ['settings.speed', 'settings.speed_low', 'settings.speed_high'],
});
const GRAVITY_NAMES = /** @type {Record<string, string>} */ ({ centre: 'settings.gravity_centre', attention: 'settings.gravity_attention' });
const METADATA = /** @type {const} */ ({ none: 'settings.metadata_none', copyright: 'settings.metadata_copyright', all: 'settings.metadata_all' });

/** None where the gateway writes one format alone. @param {Capabilities} capabilities */
export function formatChoice(capabilities) {
  const formats = outputFormats(capabilities);
  if (formats.length === 0) return [];
  return [el('fieldset', { class: 'presets' }, el('legend', { 'data-t': 'settings.format' }), ...formats.map(({ name }) => formatCard(name)),
    ...(webFormats(capabilities).length > 0 ? [formatCard(WEB)] : []), el('p', { class: 'format-note', role: 'status' }))];
}

/** Names of formats are the same in every language. @param {string} name */
function formatCard(name) {
  const hint = FORMAT_HINTS[name];
  const title = name === WEB ? el('span', { class: 'preset-name', 'data-t': 'settings.web' }) : el('span', { class: 'preset-name' }, formatName(name));
  return el('label', { class: `preset preset-${name}` }, el('input', { type: 'radio', name: 'format', value: name }), title,
    ...(hint ? [el('span', { class: 'preset-hint', 'data-t': hint })] : []));
}

export function presetChoice() {
  return el('fieldset', { class: 'presets presets-kind' }, el('legend', { 'data-t': 'settings.preset' }), ...Object.entries(CARDS).map(([value, keys]) => card(value, keys)));
}

/** @param {string} value @param {readonly [string, string]} keys */
function card(value, [name, hint]) {
  return el('label', { class: 'preset' }, el('input', { type: 'radio', name: 'preset', value }), el('span', { class: 'preset-name', 'data-t': name }), el('span', { class: 'preset-hint', 'data-t': hint }));
}

/** @param {string} prefix */
export function qualityField(prefix) {
  const id = `${prefix}quality`;
  const stops = QUALITY_STOPS.map(({ quality, name }) => el('button', { class: 'chip', type: 'button', 'data-sets': 'quality', value: String(quality), 'data-t': name }));
  return el('div', { class: 'field', 'data-field': 'quality' },
    el('label', { for: id, 'data-t': 'settings.quality' }),
    el('div', { class: 'chips' }, ...stops),
    el('div', { class: 'dial dial-exact' }, el('input', { type: 'range', id, name: 'quality', 'aria-describedby': `${id}-ends` }),
      el('input', { type: 'number', id: `${id}-number`, 'data-exact': 'quality', inputmode: 'numeric', 'data-t-label': 'settings.quality_exact', 'aria-describedby': `${id}-problem` })),
    el('div', { class: 'ends', id: `${id}-ends` }, el('small', { 'data-t': 'settings.quality_low' }), el('small', { 'data-t': 'settings.quality_high' })),
    problemLine(id));
}

/** @param {string} prefix */
export function widthField(prefix) {
  const id = `${prefix}width`;
  const chips = WIDTHS.map((width) => el('button', { class: 'chip', type: 'button', 'data-sets': 'width', value: width }, width));
  return el('div', { class: 'field', 'data-field': 'width' },
    el('label', { for: id, 'data-t': 'settings.max_width' }),
    el('div', { class: 'chips' }, el('button', { class: 'chip', type: 'button', 'data-sets': 'width', value: '', 'data-t': 'settings.original' }), ...chips),
    el('div', { class: 'measure' }, el('input', { type: 'number', id, name: 'width', inputmode: 'numeric', 'data-t-placeholder': 'settings.other_width', 'aria-describedby': `${id}-problem` }), el('span', { 'data-t': 'settings.pixels' })),
    problemLine(id));
}

/** @param {string} prefix @param {keyof typeof DIALS} name */
export function dialField(prefix, name) {
  const id = `${prefix}${name}`;
  const [label, low, high] = DIALS[name];
  return el('div', { class: 'field', 'data-field': name },
    el('label', { for: id, 'data-t': label }),
    el('div', { class: 'dial' }, el('input', { type: 'range', id, name, 'aria-describedby': `${id}-ends` }), el('output', { for: id, 'data-shows': name })),
    el('div', { class: 'ends', id: `${id}-ends` }, el('small', { 'data-t': low }), el('small', { 'data-t': high })));
}

/** @param {string} prefix @param {{name: NumberField, id?: string, label: string, unit?: string, empty: string, hint?: string}} given */
export function numberField(prefix, { name, id = name, label, unit = '', empty, hint }) {
  const own = `${prefix}${id}`;
  const described = hint ? `${own}-hint ${own}-problem` : `${own}-problem`;
  return el('div', { class: 'field', 'data-field': NUMBERS[name].option },
    el('label', { for: own, 'data-t': label }),
    el('div', { class: 'measure' }, el('input', { type: 'number', id: own, name, inputmode: 'numeric', 'data-t-placeholder': empty, 'aria-describedby': described }), ...(unit ? [el('span', { 'data-t': unit })] : [])),
    ...(hint ? [el('small', { id: `${own}-hint`, 'data-t': hint })] : []), problemLine(own));
}

/** @param {string} prefix */
export function metadataField(prefix) {
  const id = `${prefix}metadata`;
  return el('div', { class: 'field', 'data-field': 'metadata' }, el('label', { for: id, 'data-t': 'settings.metadata' }),
    el('select', { id, name: 'metadata' }, ...Object.entries(METADATA).map(([value, key]) => el('option', { value, 'data-t': key }))));
}

/** Widths as a list, with those at hand as chips that add and take away. @param {string} prefix */
export function webWidthsField(prefix) {
  const id = `${prefix}widths`;
  const chips = WEB_WIDTHS.map((width) => el('button', { class: 'chip', type: 'button', 'data-toggles': 'widths', value: width }, width));
  return el('div', { class: 'field', 'data-field': 'widths' }, el('label', { for: id, 'data-t': 'settings.web_widths' }), el('div', { class: 'chips' }, ...chips),
    el('div', { class: 'measure' }, el('input', { type: 'text', id, name: 'widths', inputmode: 'text', autocomplete: 'off', spellcheck: 'false', 'data-t-placeholder': 'settings.original', 'aria-describedby': `${id}-hint ${id}-problem` }), el('span', { 'data-t': 'settings.pixels' })),
    el('small', { id: `${id}-hint`, 'data-t': 'settings.web_widths_hint' }), problemLine(id));
}

/** @param {Capabilities} capabilities */
export function webFormatsField(capabilities) {
  const checks = webFormats(capabilities).map((name) => el('label', { class: 'chip chip-check' }, el('input', { type: 'checkbox', name: 'formats', value: name }), el('span', {}, formatName(name))));
  return el('fieldset', { class: 'field', 'data-field': 'formats' }, el('legend', { 'data-t': 'settings.web_formats' }), el('div', { class: 'chips' }, ...checks), el('small', { 'data-t': 'settings.web_formats_hint' }));
}

/** @param {string} prefix @param {string} name @param {string} label @param {string} [hint] */
export function checkField(prefix, name, label, hint) {
  const id = `${prefix}${name}`;
  return el('div', { class: 'field field-check', 'data-field': name },
    el('label', { class: 'check' }, el('input', { type: 'checkbox', id, name, ...(hint && { 'aria-describedby': `${id}-hint` }) }), el('span', { 'data-t': label })),
    ...(hint ? [el('small', { id: `${id}-hint`, 'data-t': hint })] : []));
}

/** What a picture is cut to; another than these is shown where a link or an image has it. @param {string} prefix */
export function shapeField(prefix) {
  const id = `${prefix}shape`;
  const shapes = SHAPES.map((shape) => el('option', { value: shape }, shape.replace(':', ' : ')));
  return el('div', { class: 'field', 'data-field': 'fit' }, el('label', { for: id, 'data-t': 'settings.shape' }),
    el('select', { id, name: 'shape', 'aria-describedby': `${id}-hint` }, el('option', { value: '', 'data-t': 'settings.shape_whole' }), ...shapes, el('option', { value: 'own', 'data-t': 'settings.shape_own' })),
    el('small', { id: `${id}-hint`, 'data-t': 'settings.shape_hint' }));
}

/** Of the marks that the operator gave. @param {string} prefix @param {string[]} names */
export function watermarkField(prefix, names) {
  const id = `${prefix}watermark`;
  return el('div', { class: 'field', 'data-field': 'watermark' }, el('label', { for: id, 'data-t': 'settings.watermark' }),
    el('select', { id, name: 'watermark' }, el('option', { value: '', 'data-t': 'settings.watermark_none' }), ...names.map((value) => el('option', { value }, value))));
}

/** @param {string} prefix */
export function gravityField(prefix) {
  const id = `${prefix}gravity`;
  return el('div', { class: 'field', 'data-field': 'gravity' }, el('label', { for: id, 'data-t': 'settings.gravity' }),
    el('select', { id, name: 'gravity' }, ...GRAVITIES.map((value) => el('option', { value, 'data-t': GRAVITY_NAMES[value] }))));
}

/** @param {string} id of the field */
const problemLine = (id) => el('small', { class: 'field-problem', id: `${id}-problem`, role: 'status' });

