// @ts-check
/** The form of settings. Events: `settings-changed` (Settings), `apply-settings`. */
import { emit, find, setAttribute, setText } from './dom.js';
import { optionSchema } from '../core/capabilities.js';
import { defaultSettings, hasQuality, hasTarget, isChanged, settingsOfForm } from '../core/options.js';

/** @typedef {import('../core/options.js').Settings} Settings */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */

/** Preset → key of its name. */
const PRESET_NAMES = /** @type {const} */ ({ auto: 'settings.auto', photo: 'settings.photo', graphic: 'settings.graphic', lossless: 'settings.lossless' });

/** Until this is called, the form is inert: its defaults and ranges are not known. @param {Capabilities} capabilities */
export function listenToSettings(capabilities) {
  const form = find('settings-form', HTMLFormElement);
  form.inert = false;
  form.addEventListener('input', (event) => emit(form, 'settings-changed', readForm(form, event, capabilities)));
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', (event) => {
    event.preventDefault();
    emit(form, 'settings-changed', defaultSettings(capabilities));
  });
  find('apply', HTMLElement).addEventListener('click', () => emit(form, 'apply-settings'));
}

/** @param {HTMLFormElement} form @param {Event} event that changed it @param {Capabilities} capabilities @returns {Settings} */
export function readForm(form, event, capabilities) {
  const is_new_preset = event.target instanceof HTMLInputElement && event.target.name === 'preset';
  return settingsOfForm(Object.fromEntries(new FormData(form)), is_new_preset, capabilities);
}

/** @param {Settings} settings @param {Capabilities} capabilities @param {Words} words */
export function showSettings(settings, capabilities, words) {
  showForm(find('settings-form', HTMLFormElement), settings, capabilities);
  setText(find('settings-now', HTMLElement), summaryText(settings, words));
}

/** @param {HTMLFormElement} form @param {Settings} settings @param {Capabilities} capabilities */
export function showForm(form, settings, capabilities) {
  for (const field of form.querySelectorAll('[data-field]')) {
    if (field instanceof HTMLElement) showField(field, settings, capabilities);
  }
  for (const [name, value] of Object.entries(settings)) fill(form, name, String(value));
  for (const output of form.querySelectorAll('output')) setText(output, String(settings[/** @type {keyof Settings} */ (output.htmlFor.value.replace('file-', ''))]));
  for (const button of form.querySelectorAll('[type=reset]')) if (button instanceof HTMLElement) button.hidden = !isChanged(settings, capabilities);
}

/** Whether it is offered, and within which range. @param {HTMLElement} field @param {Settings} settings @param {Capabilities} capabilities */
function showField(field, settings, capabilities) {
  const name = field.dataset.field ?? '';
  const { minimum, maximum, enum: choices } = optionSchema(capabilities, name);
  field.hidden = !isUsable(name, settings, capabilities);
  const input = field.querySelector('input');
  const per_unit = name === 'target_bytes' ? 1000 : 1;
  if (input && minimum !== undefined) setAttribute(input, 'min', String(Math.ceil(minimum / per_unit)));
  if (input && maximum !== undefined) setAttribute(input, 'max', String(Math.floor(maximum / per_unit)));
  for (const option of field.querySelectorAll('option')) option.hidden = !choices?.includes(option.value);
}

/** @param {HTMLFormElement} form @param {string} name @param {string} value */
function fill(form, name, value) {
  const field = form.elements.namedItem(name);
  const has_focus = field === document.activeElement;
  if (field && 'value' in field && !has_focus) field.value = value;
  if (!(field instanceof HTMLInputElement) || field.type !== 'range') return;
  field.style.setProperty('--value', String((Number(value) - Number(field.min)) / (Number(field.max) - Number(field.min))));
}

/** @param {string} field @param {Settings} settings @param {Capabilities} capabilities */
function isUsable(field, settings, capabilities) {
  if (!(field in capabilities.options)) return false;
  if (field === 'quality') return hasQuality(settings);
  return field !== 'target_bytes' || hasTarget(settings);
}

/** @param {Settings} settings @param {Words} words */
function summaryText(settings, words) {
  const preset = words.t(PRESET_NAMES[settings.preset]);
  const text = hasQuality(settings) ? words.t('settings.now_quality', { preset, quality: settings.quality }) : preset;
  if (!settings.width && !settings.height) return text;
  return words.t('settings.now_size', { text, size: `${settings.width || '∞'} × ${settings.height || '∞'}` });
}

/** @param {number} count of finished images that can be converted again @param {Words} words */
export function showApply(count, words) {
  const button = find('apply', HTMLElement);
  button.hidden = count === 0;
  if (count > 0) setText(button, words.t('settings.apply', { n: count }));
}
