// @ts-check
/** The form of settings. Events: `settings-changed` (raw values of the form), `settings-reset`, `apply-settings`. */
import { emit, find, setText } from './dom.js';
import { DEFAULTS, hasQuality, hasTarget, isChanged, settingsAfter } from '../core/options.js';

/** @typedef {import('../core/options.js').Settings} Settings */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */

/** Preset → key of its name. */
const NAMES = /** @type {const} */ ({ photo: 'settings.photo', drawing: 'settings.drawing', text: 'settings.text', lossless: 'settings.lossless' });

/** Field of the form → the server's option without which it makes no sense. */
const NEEDS = /** @type {Record<string, string>} */ ({ quality: 'quality', method: 'method', width: 'width', height: 'height', target_bytes: 'target_bytes', metadata: 'metadata' });

export function listenToSettings() {
  const form = find('settings-form', HTMLFormElement);
  form.addEventListener('input', (event) => {
    const values = Object.fromEntries(new FormData(form));
    emit(form, 'settings-changed', settingsAfter(values, event.target instanceof HTMLInputElement && event.target.name === 'preset'));
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', (event) => {
    event.preventDefault();
    emit(form, 'settings-changed', DEFAULTS);
  });
  find('apply', HTMLElement).addEventListener('click', () => emit(form, 'apply-settings'));
}

/** @param {Settings} settings @param {Capabilities} capabilities @param {Words} words */
export function showSettings(settings, capabilities, words) {
  showForm(find('settings-form', HTMLFormElement), settings, capabilities);
  setText(find('settings-now', HTMLElement), nowText(settings, words));
}

/** @param {HTMLFormElement} form @param {Settings} settings @param {Capabilities} capabilities */
export function showForm(form, settings, capabilities) {
  for (const [name, value] of Object.entries(settings)) fill(form, name, String(value));
  for (const field of form.querySelectorAll('[data-field]')) {
    if (field instanceof HTMLElement) field.hidden = !isUsable(field.dataset.field ?? '', settings, capabilities);
  }
  for (const output of form.querySelectorAll('output')) setText(output, String(settings[/** @type {keyof Settings} */ (output.htmlFor.value.replace('file-', ''))]));
  for (const button of form.querySelectorAll('[type=reset]')) if (button instanceof HTMLElement) button.hidden = !isChanged(settings);
}

/** @param {HTMLFormElement} form @param {string} name @param {string} value */
function fill(form, name, value) {
  const field = form.elements.namedItem(name);
  const has_focus = field === document.activeElement;
  if (field && 'value' in field && !has_focus) field.value = value;
  if (!(field instanceof HTMLInputElement) || field.type !== 'range') return;
  field.style.setProperty('--value', String(Number(value) / Number(field.max)));
}

/** @param {string} field @param {Settings} settings @param {Capabilities} capabilities */
function isUsable(field, settings, capabilities) {
  if (!(NEEDS[field] in capabilities.options)) return false;
  if (field === 'quality') return hasQuality(settings);
  return field !== 'target_bytes' || hasTarget(settings);
}

/** @param {Settings} settings @param {Words} words */
function nowText(settings, words) {
  const preset = words.t(NAMES[settings.preset]);
  const text = hasQuality(settings) ? words.t('settings.now_quality', { preset, quality: settings.quality }) : words.t('settings.now_plain', { preset });
  if (!settings.width && !settings.height) return text;
  return words.t('settings.now_size', { text, size: `${settings.width || '∞'} × ${settings.height || '∞'}` });
}

/** @param {number} count of finished images that could be converted again @param {Words} words */
export function showApply(count, words) {
  const button = find('apply', HTMLElement);
  button.hidden = count === 0;
  if (count > 0) setText(button, words.t('settings.apply', { n: count }));
}
