// @ts-check
/** The form of settings: for all images in the page's panel, and for one in its dialog. Both have the same fields, with ids of their own. */
import { el, setAttribute, setText } from './dom.js';
import { checkField, dialField, formatChoice, gravityField, metadataField, numberField, presetChoice, qualityField, shapeField, watermarkField, webFormatsField, webWidthsField, widthField } from './setting-controls.js';
import { capabilitiesFor, formatName, optionSchema, WEB, webFormats } from '../core/capabilities.js';
import { formatsOf, hasQuality, MOST_WIDTHS, presetsOf, readWidths, widestForWeb } from '../core/options.js';
import { fits, hasDecimals, nameOfQuality, notesOf, NUMBERS, rangeOf, shapeOf, withShape, withWidth } from '../core/setting-fields.js';
import { hasNearLossless, hasTarget, settingsOfForm } from '../core/settings-query.js';

/** @typedef {import('../core/options.js').Settings} Settings */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {import('../core/setting-fields.js').NumberField} NumberField */

/** How much the colour of a border may vary: what a camera or JPEG adds to an even one. */
const TRIM = '10';
const RADIOS = new Set(['preset', 'format']);

/** Translated by `showTexts` once it stands on the page. @param {string} prefix of its ids @param {Capabilities} capabilities @returns {HTMLFormElement} */
export function createForm(prefix, capabilities) {
  const form = el('form', { class: 'settings-form', novalidate: '' }, ...formatChoice(capabilities),
    ...webFormats(capabilities).length > 0 ? [el('div', { class: 'settings-web' }, webWidthsField(prefix), webFormatsField(capabilities))] : [],
    presetChoice(), el('div', { class: 'settings-main' }, qualityField(prefix), widthField(prefix)),
    el('details', { class: 'settings-more' }, el('summary', { 'data-t': 'settings.more' }), fileGrid(prefix), pictureGrid(prefix, capabilities.watermarks ?? [])));
  form.addEventListener('click', ({ target }) => target instanceof HTMLElement && pressChip(form, target));
  return form;
}

/** How the file is written. @param {string} prefix */
function fileGrid(prefix) {
  return el('div', { class: 'settings-grid' }, dialField(prefix, 'method'), dialField(prefix, 'speed'),
    numberField(prefix, { name: 'target_kilobytes', id: 'target', label: 'settings.target', unit: 'settings.kilobytes', empty: 'settings.any_size', hint: 'settings.target_hint' }),
    numberField(prefix, { name: 'near_lossless', label: 'settings.near_lossless', empty: 'settings.off', hint: 'settings.near_lossless_hint' }),
    numberField(prefix, { name: 'colors', label: 'settings.colors', empty: 'settings.colors_all', hint: 'settings.colors_hint' }),
    metadataField(prefix), checkField(prefix, 'progressive', 'settings.progressive', 'settings.progressive_hint'));
}

/** What is done to the picture. @param {string} prefix @param {string[]} watermarks */
function pictureGrid(prefix, watermarks) {
  return el('div', { class: 'settings-grid' },
    numberField(prefix, { name: 'height', label: 'settings.max_height', unit: 'settings.pixels', empty: 'settings.as_is' }), shapeField(prefix), gravityField(prefix),
    numberField(prefix, { name: 'sharpen', label: 'settings.sharpen', empty: 'settings.off', hint: 'settings.sharpen_hint' }),
    numberField(prefix, { name: 'blur', label: 'settings.blur', empty: 'settings.off', hint: 'settings.blur_hint' }),
    checkField(prefix, 'trim', 'settings.trim', 'settings.trim_hint'), ...(watermarks.length > 0 ? [watermarkField(prefix, watermarks)] : []));
}

/** A chip is pressed: its value goes into the field, or into or out of its list, as if it had been entered there. @param {HTMLFormElement} form @param {HTMLElement} target */
function pressChip(form, target) {
  const chip = target.closest('button.chip');
  if (!(chip instanceof HTMLButtonElement)) return;
  const { sets, toggles } = chip.dataset;
  const field = form.elements.namedItem(sets ?? toggles ?? '');
  if (!(field instanceof HTMLInputElement)) return;
  field.value = toggles ? toggled(field.value, chip.value) : chip.value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

/** @param {string} list @param {string} value */
function toggled(list, value) {
  const all = list.split(/[^\d]+/).filter(Boolean);
  return (all.includes(value) ? all.filter((each) => each !== value) : [...all, value]).join();
}

/**
 * The settings after an input. What the gateway would refuse is said in its field and changes nothing.
 * @param {HTMLFormElement} form
 * @param {Event} event
 * @param {{now: Settings, capabilities: Capabilities, words: Words}} given
 * @returns {Settings}
 */
export function readForm(form, { target }, given) {
  const { now, capabilities } = given;
  if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return now;
  const name = target.dataset.exact ?? target.name;
  if (name === 'format') clearProblem(form);
  if (target instanceof HTMLInputElement && !isUnderstood(form, target, name, given)) return now;
  return settingsOfForm(changed(now, name, valueOf(form, target, now)), name === 'preset', capabilities);
}

/** @param {Settings} now @param {string} name @param {unknown} value */
function changed(now, name, value) {
  if (name === 'shape') return withShape(now, String(value));
  return name === 'width' ? withWidth(now, String(value).trim()) : { ...now, [name]: value };
}

/** Boxes: of the formats all that are ticked, and never none. @param {HTMLFormElement} form @param {HTMLInputElement | HTMLSelectElement} target @param {Settings} now */
function valueOf(form, target, now) {
  if (!(target instanceof HTMLInputElement) || target.type !== 'checkbox') return target.value;
  if (target.name === 'trim') return target.checked ? TRIM : '';
  if (target.name !== 'formats') return target.checked;
  const ticked = [...form.querySelectorAll('[name="formats"]:checked')].map((each) => /** @type {HTMLInputElement} */ (each).value);
  return ticked.join() || now.formats;
}

/** Else its field says why. @param {HTMLFormElement} form @param {HTMLInputElement} input @param {string} name @param {{now: Settings, capabilities: Capabilities, words: Words}} given */
function isUnderstood(form, input, name, { now, capabilities, words }) {
  const field = /** @type {NumberField | 'widths'} */ (name);
  if (field !== 'widths' && !(field in NUMBERS)) return true;
  const offered = capabilitiesFor(capabilities, formatsOf(now));
  clearProblem(form, field);
  const problem = field === 'widths' ? problemOfWidths(input.value, capabilities, words)
    : input.validity.badInput || !fits(field, input.value, offered) ? problemOfNumber(field, offered, words) : '';
  if (problem) showProblem(form, input, problem);
  return problem === '';
}

/** @param {string} text @param {Capabilities} capabilities @param {Words} words */
function problemOfWidths(text, capabilities, words) {
  const { widths, wrong } = readWidths(text, capabilities);
  return wrong.length === 0 && widths.length <= MOST_WIDTHS ? '' : words.t('settings.widths_out_of_range', { n: MOST_WIDTHS, maximum: String(widestForWeb(capabilities)) });
}

/** @param {NumberField} field @param {Capabilities} capabilities @param {Words} words */
function problemOfNumber(field, capabilities, words) {
  const { minimum, maximum } = rangeOf(field, capabilities);
  return words.t(hasDecimals(field, capabilities) ? 'settings.out_of_decimals' : 'settings.out_of_range', { minimum: String(minimum), maximum: String(maximum) });
}

/** @param {HTMLFormElement} form @param {HTMLInputElement} input @param {string} text */
function showProblem(form, input, text) {
  input.setAttribute('aria-invalid', 'true');
  const line = input.closest('.field')?.querySelector('.field-problem');
  if (line) setText(line, text);
  form.dataset.invalid = '';
}

/** @param {HTMLFormElement} form @param {NumberField | 'widths'} [field] all fields without it */
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
  const offered = capabilitiesFor(capabilities, formatsOf(settings));
  for (const field of form.querySelectorAll('[data-field]')) if (field instanceof HTMLElement) showField(field, settings, offered);
  showCards(form, settings, capabilities);
  const web = form.querySelector('.settings-web');
  if (web instanceof HTMLElement) web.hidden = !isWeb(settings);
  const note = form.querySelector('.format-note');
  if (note) setText(note, settings.format === WEB ? webText(settings, words) : notesOf(settings.format, capabilities).map((key) => words.t(key)).join('').trim());
  for (const [name, value] of Object.entries({ ...settings, shape: shapeOf(settings), widths: settings.widths.replaceAll(',', ', ') })) if (!RADIOS.has(name)) fill(form, name, String(value));
  for (const box of form.querySelectorAll('[type=checkbox]')) if (box instanceof HTMLInputElement) box.checked = isTicked(box, settings);
  for (const chip of form.querySelectorAll('button.chip')) if (chip instanceof HTMLButtonElement) showChip(chip, settings);
  for (const output of form.querySelectorAll('[data-shows]')) setText(output, String(settings[/** @type {keyof Settings} */ (output.getAttribute('data-shows'))]));
  const dial = form.querySelector('[type=range][name=quality]');
  if (dial) setAttribute(dial, 'aria-valuetext', `${settings.quality}, ${words.t(nameOfQuality(settings.quality))}`);
}

/** How many files an image becomes. @param {Settings} settings @param {Words} words */
function webText({ formats, widths }, words) {
  return words.t('settings.web_count', { n: formats.split(',').length * (widths ? widths.split(',').length : 1) });
}

/** @param {HTMLInputElement} box @param {Settings} settings */
const isTicked = ({ name, value }, settings) => name === 'formats' ? settings.formats.split(',').includes(value) : name === 'trim' ? settings.trim !== '' : settings.progressive;

/** Those that mean something for the format. @param {HTMLFormElement} form @param {Settings} settings @param {Capabilities} capabilities */
function showCards(form, settings, capabilities) {
  const presets = presetsOf(formatsOf(settings), capabilities);
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
  setAttribute(field, 'data-for', formatsMeant(option, settings, capabilities).map(formatName).join(', ') || null);
  for (const input of field.querySelectorAll('[type=number], [type=range]')) {
    if (!(input instanceof HTMLInputElement)) continue;
    if (hasDecimals(/** @type {NumberField} */ (input.name || input.dataset.exact), capabilities)) setAttribute(input, 'step', '0.1');
    const { minimum, maximum } = rangeOf(/** @type {NumberField} */ (input.dataset.exact ?? input.name), capabilities);
    setAttribute(input, 'min', String(minimum));
    if (Number.isFinite(maximum)) setAttribute(input, 'max', String(maximum));
  }
  const { enum: choices } = optionSchema(capabilities, option);
  for (const choice of field.querySelectorAll('option')) choice.hidden = choice.value === 'own' ? shapeOf(settings) !== 'own' : Boolean(choices) && !choices?.includes(choice.value) && option !== 'fit';
  for (const chip of field.querySelectorAll('.chip[data-sets]')) if (chip instanceof HTMLButtonElement) chip.hidden = !fits(/** @type {NumberField} */ (chip.dataset.sets), chip.value, capabilities);
}

/** What the reader is writing, and what cannot be used, stays. @param {HTMLFormElement} form @param {string} name @param {string} value */
function fill(form, name, value) {
  for (const field of form.querySelectorAll(`[name="${name}"], [data-exact="${name}"]`)) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement) || field.type === 'checkbox') continue;
    const is_free = !field.hasAttribute('aria-invalid') && (field !== document.activeElement || field.type === 'range');
    if (is_free && field.value !== value) field.value = value;
    if (field.type === 'range' && field instanceof HTMLInputElement) field.style.setProperty('--value', String((Number(value) - Number(field.min)) / (Number(field.max) - Number(field.min))));
  }
}

/** @param {HTMLButtonElement} chip @param {Settings} settings */
function showChip(chip, settings) {
  const { sets, toggles } = chip.dataset;
  const value = String(settings[/** @type {keyof Settings} */ (sets ?? toggles)]);
  setAttribute(chip, 'aria-pressed', String(toggles ? value.split(',').includes(chip.value) : value === chip.value));
}

/** Of several formats those for which an option means something; none where it does for all. @param {string} option @param {Settings} settings @param {Capabilities} capabilities @returns {string[]} */
function formatsMeant(option, settings, capabilities) {
  const [formats, meant] = [formatsOf(settings), capabilities.options[option]?.['x-formats']];
  return !meant || formats.every((each) => meant.includes(each)) ? [] : formats.filter((each) => meant.includes(each));
}

/** @param {Settings} settings */
const isWeb = ({ format }) => format === WEB;
/** @param {Settings} settings */
const isOne = ({ format }) => format !== WEB;

/** @param {string} option @param {Settings} settings @param {Capabilities} capabilities */
function isUsable(option, settings, capabilities) {
  if (!(option in capabilities.options)) return false;
  const has_effect = /** @type {Record<string, (settings: Settings) => boolean>} */ ({
    quality: hasQuality, target_bytes: hasTarget, near_lossless: hasNearLossless, widths: isWeb, formats: isWeb, width: isOne, height: isOne, fit: isOne,
    gravity: (given) => isOne(given) && shapeOf(given) !== '',
  });
  return has_effect[option]?.(settings) ?? true;
}
