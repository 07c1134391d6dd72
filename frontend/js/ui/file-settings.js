// @ts-check
/** Settings for one image alone, in a dialog made of the page's own form. */
import { el, find } from './dom.js';
import { showForm } from './settings.js';
import { loadStyles } from './styles.js';
import { readSettings, settingsAfter } from '../core/options.js';

/** @typedef {import('../core/options.js').Settings} Settings */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */

/**
 * @param {{name: string, settings: Settings, capabilities: Capabilities}} given
 * @param {Words} words
 * @returns {Promise<Settings | null>} null when it was left without a choice
 */
export async function askForSettings({ name, settings, capabilities }, words) {
  await loadStyles('dialog');
  const form = copyOfForm();
  const title = el('h2', { id: 'file-settings-title' }, words.t('row.again_title', { name }));
  const apply = el('button', { class: 'button button-primary', type: 'submit' }, words.t('row.again'));
  const leave = el('button', { class: 'button', type: 'button' }, words.t('row.again_leave'));
  form.append(el('div', { class: 'dialog-actions' }, leave, apply));
  const dialog = el('dialog', { class: 'dialog dialog-wide', 'aria-labelledby': title.id }, title, form);
  let now = settings;
  const show = (/** @type {Settings} */ next) => {
    now = next;
    showForm(form, now, capabilities);
  };
  form.addEventListener('input', (event) => show(settingsAfter(Object.fromEntries(new FormData(form)), event.target instanceof HTMLInputElement && event.target.name === 'preset')));
  leave.addEventListener('click', () => dialog.close());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    dialog.close('apply');
  });
  document.body.append(dialog);
  show(readSettings(settings));
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  const is_wanted = dialog.returnValue === 'apply';
  dialog.remove();
  return is_wanted ? now : null;
}

/** The same fields; ids are the page's, so each gets one of its own. */
function copyOfForm() {
  const copy = /** @type {HTMLFormElement} */ (find('settings-form', HTMLFormElement).cloneNode(true));
  copy.removeAttribute('id');
  copy.querySelector('.settings-foot')?.remove();
  for (const attribute of ['id', 'for', 'aria-describedby']) {
    for (const element of copy.querySelectorAll(`[${attribute}]`)) element.setAttribute(attribute, `file-${element.getAttribute(attribute)}`);
  }
  return copy;
}
