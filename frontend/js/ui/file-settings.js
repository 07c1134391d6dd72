// @ts-check
/** Settings for one image, in a dialog with the form of the page's panel. */
import { el } from './dom.js';
import { createForm, invalidField, readForm, showForm } from './settings-form.js';
import { loadStyles } from './styles.js';
import { showTexts } from './texts.js';

/** @typedef {import('../core/options.js').Settings} Settings */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */
/**
 * @typedef {object} Wish
 * @property {string} name of the image
 * @property {Settings} settings
 * @property {Capabilities} capabilities
 * @property {number} all how many images could get the same settings
 * @property {HTMLElement} estimate the line that shows the image's estimate
 * @property {(settings: Settings) => void} onSettings at first, and after each change
 */

/**
 * @param {Wish} wish
 * @param {Words} words
 * @returns {Promise<{settings: Settings, is_for_all: boolean} | null>} null when the dialog was dismissed
 */
export async function askForSettings({ name, settings, capabilities, all, estimate, onSettings }, words) {
  await loadStyles('dialog', 'settings-form');
  const form = createForm('file-', capabilities);
  const title = el('h2', { id: 'file-settings-title' }, words.t('row.again_title', { name }));
  const dismiss = el('button', { class: 'button', type: 'button' }, words.t('row.again_dismiss'));
  const for_all = el('button', { class: 'button', type: 'button', value: 'all' }, words.t('settings.file_apply_all', { n: all }));
  for_all.hidden = all < 2;
  const apply = el('button', { class: 'button button-primary', type: 'submit', value: 'one' }, words.t('row.again'));
  form.querySelector('.settings-main')?.after(estimate);
  form.append(el('div', { class: 'dialog-actions' }, dismiss, for_all, apply));
  const dialog = el('dialog', { class: 'dialog dialog-wide', 'aria-labelledby': title.id }, title, form);
  let now = settings;
  const show = (/** @type {Settings} */ next) => {
    now = next;
    showForm(form, now, capabilities, words);
    onSettings(now);
  };
  form.addEventListener('input', (event) => show(readForm(form, event, { now, capabilities, words })));
  dismiss.addEventListener('click', () => dialog.close());
  const close = (/** @type {string} */ answer) => {
    const wrong = invalidField(form);
    if (wrong) wrong.focus();
    else dialog.close(answer);
  };
  for_all.addEventListener('click', () => close(for_all.value));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    close(apply.value);
  });
  document.body.append(dialog);
  showTexts(words);
  show(settings);
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  const { returnValue } = dialog;
  dialog.remove();
  return returnValue === '' ? null : { settings: now, is_for_all: returnValue === for_all.value };
}
