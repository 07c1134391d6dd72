// @ts-check
/** A dialog that asks before something that cannot be undone. */
import { el } from './dom.js';
import { loadStyles } from './styles.js';

/**
 * @param {{title: string, text: string, yes: string, no: string}} texts
 * @returns {Promise<boolean>}
 */
export async function askToConfirm(texts) {
  await loadStyles('dialog');
  const no = el('button', { class: 'button', value: 'no', autofocus: '' }, texts.no);
  const yes = el('button', { class: 'button button-danger', value: 'yes' }, texts.yes);
  const title = el('h2', { id: 'confirm-title' }, texts.title);
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'confirm-title' },
    el('form', { method: 'dialog' }, title, el('p', {}, texts.text), el('div', { class: 'dialog-actions' }, no, yes)));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => {
    dialog.remove();
    resolve(dialog.returnValue === 'yes');
  }));
}
