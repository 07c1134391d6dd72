// @ts-check
/** Asks before something that cannot be undone. */
import { el } from './dom.js';
import { loadStyles } from './styles.js';

/**
 * @param {{title: string, text: string, yes: string, no: string}} words
 * @returns {Promise<boolean>}
 */
export async function askToConfirm(words) {
  await loadStyles('dialog');
  const no = el('button', { class: 'button', value: 'no', autofocus: '' }, words.no);
  const yes = el('button', { class: 'button button-danger', value: 'yes' }, words.yes);
  const title = el('h2', { id: 'confirm-title' }, words.title);
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': 'confirm-title' },
    el('form', { method: 'dialog' }, title, el('p', {}, words.text), el('div', { class: 'dialog-actions' }, no, yes)));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => {
    dialog.remove();
    resolve(dialog.returnValue === 'yes');
  }));
}
