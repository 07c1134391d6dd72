// @ts-check
/** Settings for one image, in a dialog with a copy of the page's form. */
import { el, find } from './dom.js';
import { readForm, showForm } from './settings.js';
import { loadStyles } from './styles.js';

/** @typedef {import('../core/options.js').Settings} Settings */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */

/**
 * @param {{name: string, settings: Settings, capabilities: Capabilities}} given
 * @param {Words} words
 * @returns {Promise<Settings | null>} null when the dialog was dismissed
 */
export async function askForSettings({ name, settings, capabilities }, words) {
  await loadStyles('dialog');
  const form = copyOfForm();
  const title = el('h2', { id: 'file-settings-title' }, words.t('row.again_title', { name }));
  const apply = el('button', { class: 'button button-primary', type: 'submit' }, words.t('row.again'));
  const dismiss = el('button', { class: 'button', type: 'button' }, words.t('row.again_dismiss'));
  form.append(el('div', { class: 'dialog-actions' }, dismiss, apply));
  const dialog = el('dialog', { class: 'dialog dialog-wide', 'aria-labelledby': title.id }, title, form);
  let now = settings;
  const show = (/** @type {Settings} */ next) => {
    now = next;
    showForm(form, now, capabilities);
  };
  form.addEventListener('input', (event) => show(readForm(form, event, capabilities)));
  dismiss.addEventListener('click', () => dialog.close());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    dialog.close('apply');
  });
  document.body.append(dialog);
  show(settings);
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  const is_applied = dialog.returnValue === 'apply';
  dialog.remove();
  return is_applied ? now : null;
}

/** The same fields, with ids of their own. */
function copyOfForm() {
  const copy = /** @type {HTMLFormElement} */ (find('settings-form', HTMLFormElement).cloneNode(true));
  copy.removeAttribute('id');
  copy.querySelector('.settings-foot')?.remove();
  for (const attribute of ['id', 'for', 'aria-describedby']) {
    for (const element of copy.querySelectorAll(`[${attribute}]`)) element.setAttribute(attribute, `file-${element.getAttribute(attribute)}`);
  }
  return copy;
}
