// @ts-check
/** The form of settings: for all images in the page's panel, and for one in its dialog. Both have the same fields, with ids of their own. */
import { el, setAttribute, setText } from './dom.js';
import { capabilitiesFor, formatName, optionSchema, outputFormats } from '../core/capabilities.js';
import { hasNearLossless, hasQuality, hasTarget, presetsOf, settingsOfForm } from '../core/options.js';
import { fits, nameOfQuality, notesOf, NUMBERS, QUALITY_STOPS, rangeOf, WIDTHS } from '../core/setting-fields.js';

/** @typedef {import('../core/options.js').Settings} Settings */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {import('../core/setting-fields.js').NumberField} NumberField */

/** Format → key of what it is good for. */
const FORMAT_HINTS = /** @type {Record<string, string>} */ ({ webp: 'settings.webp_hint', avif: 'settings.avif_hint', jpeg: 'settings.jpeg_hint', png: 'settings.png_hint' });
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
const METADATA = /** @type {const} */ ({ none: 'settings.metadata_none', copyright: 'settings.metadata_copyright', all: 'settings.metadata_all' });

/** Translated by `showTexts` once it stands on the page. @param {string} prefix of its ids @param {Capabilities} capabilities @returns {HTMLFormElement} */
export function createForm(prefix, capabilities) {
  const form = el('form', { class: 'settings-form', novalidate: '' }, ...formatChoice(capabilities),
    el('fieldset', { class: 'presets presets-kind' }, el('legend', { 'data-t': 'settings.preset' }), ...Object.entries(CARDS).map(([value, keys]) => card(value, keys))),
    el('div', { class: 'settings-main' }, qualityField(prefix), widthField(prefix)),
    el('details', { class: 'settings-more' }, el('summary', { 'data-t': 'settings.more' }),
      el('div', { class: 'settings-grid' }, dialField(prefix, 'method'), dialField(prefix, 'speed'),
        numberField(prefix, { name: 'height', label: 'settings.max_height', unit: 'settings.pixels', empty: 'settings.as_is' }),
        numberField(prefix, { name: 'target_kilobytes', id: 'target', label: 'settings.target', unit: 'settings.kilobytes', empty: 'settings.any_size', hint: 'settings.target_hint' }),
        numberField(prefix, { name: 'near_lossless', label: 'settings.near_lossless', unit: '', empty: 'settings.off', hint: 'settings.near_lossless_hint' }),
        metadataField(prefix))));
  form.addEventListener('click', ({ target }) => target instanceof HTMLElement && pressChip(form, target));
  return form;
}

/** None where the gateway writes one format alone. @param {Capabilities} capabilities */
function formatChoice(capabilities) {
  const formats = outputFormats(capabilities);
  if (formats.length === 0) return [];
  return [el('fieldset', { class: 'presets' }, el('legend', { 'data-t': 'settings.format' }), ...formats.map(({ name }) => formatCard(name)),
    el('p', { class: 'format-note', role: 'status' }))];
}

/** Names of formats are the same in every language. @param {string} name */
function formatCard(name) {
  const hint = FORMAT_HINTS[name];
  return el('label', { class: 'preset' }, el('input', { type: 'radio', name: 'format', value: name }), el('span', { class: 'preset-name' }, formatName(name)),
    ...(hint ? [el('span', { class: 'preset-hint', 'data-t': hint })] : []));
}

/** @param {string} value @param {readonly [string, string]} keys */
function card(value, [name, hint]) {
  return el('label', { class: 'preset' }, el('input', { type: 'radio', name: 'preset', value }), el('span', { class: 'preset-name', 'data-t': name }), el('span', { class: 'preset-hint', 'data-t': hint }));
}

/** @param {string} prefix */
function qualityField(prefix) {
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
function widthField(prefix) {
  const id = `${prefix}width`;
  const chips = WIDTHS.map((width) => el('button', { class: 'chip', type: 'button', 'data-sets': 'width', value: width }, width));
  return el('div', { class: 'field', 'data-field': 'width' },
    el('label', { for: id, 'data-t': 'settings.max_width' }),
    el('div', { class: 'chips' }, el('button', { class: 'chip', type: 'button', 'data-sets': 'width', value: '', 'data-t': 'settings.original' }), ...chips),
    el('div', { class: 'measure' }, el('input', { type: 'number', id, name: 'width', inputmode: 'numeric', 'data-t-placeholder': 'settings.other_width', 'aria-describedby': `${id}-problem` }), el('span', { 'data-t': 'settings.pixels' })),
    problemLine(id));
}

/** @param {string} prefix @param {keyof typeof DIALS} name */
function dialField(prefix, name) {
  const id = `${prefix}${name}`;
  const [label, low, high] = DIALS[name];
  return el('div', { class: 'field', 'data-field': name },
    el('label', { for: id, 'data-t': label }),
    el('div', { class: 'dial' }, el('input', { type: 'range', id, name, 'aria-describedby': `${id}-ends` }), el('output', { for: id, 'data-shows': name })),
    el('div', { class: 'ends', id: `${id}-ends` }, el('small', { 'data-t': low }), el('small', { 'data-t': high })));
}

/** @param {string} prefix @param {{name: NumberField, id?: string, label: string, unit: string, empty: string, hint?: string}} given */
function numberField(prefix, { name, id = name, label, unit, empty, hint }) {
  const own = `${prefix}${id}`;
  const described = hint ? `${own}-hint ${own}-problem` : `${own}-problem`;
  return el('div', { class: 'field', 'data-field': NUMBERS[name].option },
    el('label', { for: own, 'data-t': label }),
    el('div', { class: 'measure' }, el('input', { type: 'number', id: own, name, inputmode: 'numeric', 'data-t-placeholder': empty, 'aria-describedby': described }), ...(unit ? [el('span', { 'data-t': unit })] : [])),
    ...(hint ? [el('small', { id: `${own}-hint`, 'data-t': hint })] : []), problemLine(own));
}

/** @param {string} prefix */
function metadataField(prefix) {
  const id = `${prefix}metadata`;
  return el('div', { class: 'field', 'data-field': 'metadata' }, el('label', { for: id, 'data-t': 'settings.metadata' }),
    el('select', { id, name: 'metadata' }, ...Object.entries(METADATA).map(([value, key]) => el('option', { value, 'data-t': key }))));
}

/** @param {string} id of the field */
const problemLine = (id) => el('small', { class: 'field-problem', id: `${id}-problem`, role: 'status' });

/** A chip is pressed: its value goes into the field, as if it had been entered there. @param {HTMLFormElement} form @param {HTMLElement} target */
function pressChip(form, target) {
  const chip = target.closest('.chip[data-sets]');
  if (!(chip instanceof HTMLButtonElement)) return;
  const field = form.elements.namedItem(chip.dataset.sets ?? '');
  if (!(field instanceof HTMLInputElement)) return;
  field.value = chip.value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

/**
 * The settings after an input. A number that the gateway would refuse is said in its field and changes nothing.
 * @param {HTMLFormElement} form
 * @param {Event} event
 * @param {{now: Settings, capabilities: Capabilities, words: Words}} given
 * @returns {Settings}
 */
export function readForm(form, { target }, { now, capabilities, words }) {
  if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return now;
  const name = target.dataset.exact ?? target.name;
  const offered = capabilitiesFor(capabilities, now.format);
  if (name === 'format') clearProblem(form);
  if (name in NUMBERS && target instanceof HTMLInputElement) {
    const field = /** @type {NumberField} */ (name);
    const is_fit = !target.validity.badInput && fits(field, target.value, offered);
    clearProblem(form, field);
    if (!is_fit) showProblem(form, target, words.t('settings.out_of_range', textOfRange(field, offered)));
    if (!is_fit) return now;
  }
  return settingsOfForm({ ...now, [name]: target.value }, name === 'preset', capabilities);
}

/** @param {NumberField} field @param {Capabilities} capabilities */
function textOfRange(field, capabilities) {
  const { minimum, maximum } = rangeOf(field, capabilities);
  return { minimum: String(minimum), maximum: String(maximum) };
}

/** @param {HTMLFormElement} form @param {HTMLInputElement} input @param {string} text */
function showProblem(form, input, text) {
  input.setAttribute('aria-invalid', 'true');
  const line = input.closest('.field')?.querySelector('.field-problem');
  if (line) setText(line, text);
  form.dataset.invalid = '';
}

/** @param {HTMLFormElement} form @param {NumberField} [field] all fields without it */
export function clearProblem(form, field) {
  for (const input of form.querySelectorAll('[aria-invalid]')) {
    if (!(input instanceof HTMLInputElement) || (field && (input.dataset.exact ?? input.name) !== field)) continue;
    input.removeAttribute('aria-invalid');
    const line = input.closest('.field')?.querySelector('.field-problem');
    if (line) setText(line, '');
  }
  if (!invalidField(form)) delete form.dataset.invalid;
}

/** The first field whose number cannot be used. @param {HTMLFormElement} form @returns {HTMLElement | null} */
export const invalidField = (form) => form.querySelector('[aria-invalid]');

/** @param {HTMLFormElement} form @param {Settings} settings @param {Capabilities} capabilities @param {Words} words */
export function showForm(form, settings, capabilities, words) {
  const offered = capabilitiesFor(capabilities, settings.format);
  for (const field of form.querySelectorAll('[data-field]')) if (field instanceof HTMLElement) showField(field, settings, offered);
  showCards(form, settings, capabilities);
  const note = form.querySelector('.format-note');
  if (note) setText(note, notesOf(settings.format, capabilities).map((key) => words.t(key)).join('').trim());
  for (const [name, value] of Object.entries(settings)) if (name !== 'preset' && name !== 'format') fill(form, name, String(value));
  for (const chip of form.querySelectorAll('.chip[data-sets]')) if (chip instanceof HTMLButtonElement) showChip(chip, settings);
  for (const output of form.querySelectorAll('[data-shows]')) setText(output, String(settings[/** @type {keyof Settings} */ (output.getAttribute('data-shows'))]));
  const dial = form.querySelector('[type=range][name=quality]');
  if (dial) setAttribute(dial, 'aria-valuetext', `${settings.quality}, ${words.t(nameOfQuality(settings.quality))}`);
}

/** Those that mean something for the format. @param {HTMLFormElement} form @param {Settings} settings @param {Capabilities} capabilities */
function showCards(form, settings, capabilities) {
  const presets = presetsOf(settings.format, capabilities);
  const kinds = form.querySelector('.presets-kind');
  if (kinds instanceof HTMLElement) kinds.hidden = presets.length === 0;
  for (const input of form.querySelectorAll('[type=radio]')) {
    if (!(input instanceof HTMLInputElement) || !input.parentElement) continue;
    const is_preset = input.name === 'preset';
    input.checked = input.value === (is_preset ? settings.preset : settings.format);
    input.parentElement.hidden = is_preset && !presets.some((preset) => preset === input.value);
  }
}

/** Whether it is offered, and within which range. @param {HTMLElement} field @param {Settings} settings @param {Capabilities} capabilities for the format */
function showField(field, settings, capabilities) {
  const option = field.dataset.field ?? '';
  field.hidden = !isUsable(option, settings, capabilities);
  for (const input of field.querySelectorAll('input')) {
    const { minimum, maximum } = rangeOf(/** @type {NumberField} */ (input.dataset.exact ?? input.name), capabilities);
    setAttribute(input, 'min', String(minimum));
    if (Number.isFinite(maximum)) setAttribute(input, 'max', String(maximum));
  }
  const { enum: choices } = optionSchema(capabilities, option);
  for (const choice of field.querySelectorAll('option')) choice.hidden = !choices?.includes(choice.value);
  for (const chip of field.querySelectorAll('.chip')) if (chip instanceof HTMLButtonElement) chip.hidden = !fits(/** @type {NumberField} */ (chip.dataset.sets), chip.value, capabilities);
}

/** What the reader is writing, and what cannot be used, stays. @param {HTMLFormElement} form @param {string} name @param {string} value */
function fill(form, name, value) {
  for (const field of form.querySelectorAll(`[name="${name}"], [data-exact="${name}"]`)) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) continue;
    const is_free = !field.hasAttribute('aria-invalid') && (field !== document.activeElement || field.type === 'range');
    if (is_free && field.value !== value) field.value = value;
    if (field.type === 'range' && field instanceof HTMLInputElement) field.style.setProperty('--value', String((Number(value) - Number(field.min)) / (Number(field.max) - Number(field.min))));
  }
}

/** @param {HTMLButtonElement} chip @param {Settings} settings */
function showChip(chip, settings) {
  setAttribute(chip, 'aria-pressed', String(String(settings[/** @type {keyof Settings} */ (chip.dataset.sets)]) === chip.value));
}

/** @param {string} option @param {Settings} settings @param {Capabilities} capabilities */
function isUsable(option, settings, capabilities) {
  if (!(option in capabilities.options)) return false;
  const has_effect = /** @type {Record<string, (settings: Settings) => boolean>} */ ({ quality: hasQuality, target_bytes: hasTarget, near_lossless: hasNearLossless });
  return has_effect[option]?.(settings) ?? true;
}
