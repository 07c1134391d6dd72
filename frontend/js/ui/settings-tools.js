// @ts-check
/**
 * What can be done with all settings together. Events: `apply-settings`, `copy-settings-link`, `name-settings` (name), `use-named-settings` and
 * `remove-named-settings` (name).
 */
import { el, emit, icon, setText } from './dom.js';
import { LONGEST_NAME } from '../core/named-settings.js';

/** @typedef {import('../core/language.js').Words} Words */

export function createTools() {
  const input = el('input', { type: 'text', id: 'settings-name', maxlength: String(LONGEST_NAME), required: '', autocomplete: 'off' });
  const namer = el('form', { class: 'settings-namer', id: 'settings-namer', hidden: '' },
    el('label', { for: input.id, 'data-t': 'settings.name' }), input,
    el('button', { class: 'button button-small button-primary', type: 'submit', 'data-t': 'settings.save' }),
    el('button', { class: 'button button-small button-quiet', type: 'reset', 'data-t': 'settings.save_dismiss' }));
  const save = el('button', { class: 'button button-small', type: 'button', id: 'save-settings', 'aria-expanded': 'false', 'aria-controls': namer.id, 'data-t': 'settings.save_as' });
  const copy = el('button', { class: 'button button-small', type: 'button', id: 'copy-settings', 'data-t': 'settings.copy_link' });
  const reset = el('button', { class: 'button button-small button-quiet', type: 'reset', id: 'reset-settings', form: 'settings-form', 'data-t': 'settings.reset' });
  const apply = el('button', { class: 'button button-small button-primary', type: 'button', id: 'apply', hidden: '' });
  const tools = el('div', { class: 'settings-tools' }, el('ul', { class: 'named', id: 'named-settings', 'data-t-label': 'settings.named', hidden: '' }),
    namer, el('div', { class: 'settings-foot' }, el('small', { 'data-t': 'settings.for_new' }), reset, save, copy, apply));
  listen(namer, input, save);
  copy.addEventListener('click', () => emit(copy, 'copy-settings-link'));
  apply.addEventListener('click', () => emit(apply, 'apply-settings'));
  return tools;
}

/** @param {HTMLFormElement} namer @param {HTMLInputElement} input @param {HTMLButtonElement} save */
function listen(namer, input, save) {
  const open = (/** @type {boolean} */ is_open) => {
    namer.hidden = !is_open;
    save.setAttribute('aria-expanded', String(is_open));
    if (is_open) input.focus();
    else save.focus();
  };
  save.addEventListener('click', () => open(Boolean(namer.hidden)));
  namer.addEventListener('reset', () => open(false));
  namer.addEventListener('keydown', ({ key }) => key === 'Escape' && namer.reset());
  namer.addEventListener('submit', (event) => {
    event.preventDefault();
    emit(namer, 'name-settings', input.value);
    namer.reset();
  });
}

/** @param {{name: string, is_current: boolean}[]} all @param {Words} words */
export function showNamed(all, words) {
  const list = document.getElementById('named-settings');
  if (!list) return;
  list.hidden = all.length === 0;
  list.replaceChildren(...all.map(({ name, is_current }) => {
    const use = el('button', { class: 'chip', type: 'button', 'aria-pressed': String(is_current) }, name);
    const remove = el('button', { class: 'chip chip-remove', type: 'button', 'aria-label': words.t('settings.remove_named', { name }) }, icon('close'));
    use.addEventListener('click', () => emit(list, 'use-named-settings', name));
    remove.addEventListener('click', () => emit(list, 'remove-named-settings', name));
    return el('li', { class: 'named-one' }, use, remove);
  }));
}

/** @param {boolean} is_changed whether there is anything to reset */
export function showReset(is_changed) {
  const button = document.getElementById('reset-settings');
  if (button) button.hidden = !is_changed;
}

/** @param {number} count of finished images that can be converted again @param {Words} words */
export function showApply(count, words) {
  const button = document.getElementById('apply');
  if (!button) return;
  button.hidden = count === 0;
  if (count > 0) setText(button, words.t('settings.apply', { n: count }));
}
