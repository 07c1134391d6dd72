// @ts-check
/** Asks for another name, in a dialog. */
import { el } from './dom.js';
import { loadStyles } from './styles.js';

/** @typedef {import('../core/language.js').Words} Words */

/**
 * @param {{name: string, stem: string, extension: string}} given `extension` is that of the file to be saved, with its dot
 * @param {Words} words
 * @returns {Promise<string | null>} the new stem; null when the dialog was dismissed
 */
export async function askForName({ name, stem, extension }, words) {
  await loadStyles('dialog');
  const input = el('input', { type: 'text', id: 'rename-name', value: stem, dir: 'auto', autocomplete: 'off', spellcheck: 'false', maxlength: '200', required: '' });
  const title = el('h2', { id: 'rename-title' }, words.t('row.rename_title', { name }));
  const no = el('button', { class: 'button', type: 'button' }, words.t('row.rename_no'));
  const yes = el('button', { class: 'button button-primary', value: 'yes' }, words.t('row.rename_yes'));
  const field = el('div', { class: 'field' }, el('label', { for: input.id }, words.t('row.rename_label')), el('div', { class: 'rename-name' }, input, el('span', {}, extension)));
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': title.id }, el('form', { method: 'dialog' }, title, field, el('div', { class: 'dialog-actions' }, no, yes)));
  no.addEventListener('click', () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  input.select();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  const is_renamed = dialog.returnValue === 'yes';
  dialog.remove();
  return is_renamed ? input.value : null;
}
