// @ts-check
/** The choices in the header: language and theme. Events: `language-chosen` (tag), `theme-chosen` (name). */
import { el, emit, find } from './dom.js';
import { languageName } from '../core/language.js';

/** Two names fit beside each other on the smallest phone; more languages become a list. */
const LARGEST_RADIO_COUNT = 2;

/** The gateway writes into its pages which languages it has. */
export function offeredLanguages() {
  return (document.documentElement.dataset.languages ?? 'en').split(' ');
}

/** In place of the links, which are for readers without scripts. @param {string[]} languages */
export function showLanguages(languages) {
  const field = find('language', HTMLFieldSetElement);
  const choices = languages.length > LARGEST_RADIO_COUNT ? [createSelect(languages)] : languages.map(createRadio);
  field.querySelectorAll('a').forEach((link) => link.remove());
  field.append(...choices);
}

/** @param {string} language */
function createRadio(language) {
  return el('label', {}, el('input', { type: 'radio', name: 'language', value: language }), el('span', { lang: language }, languageName(language)));
}

/** @param {string[]} languages */
function createSelect(languages) {
  return el('select', { name: 'language', 'aria-labelledby': 'language-label' },
    ...languages.map((language) => el('option', { value: language, lang: language }, languageName(language))));
}

/** @param {string} language @param {string} theme */
export function showChoices(language, theme) {
  for (const [id, value] of [['language', language], ['theme', theme]]) {
    const field = find(id, HTMLFieldSetElement);
    for (const input of field.querySelectorAll('input')) input.checked = input.value === value;
    for (const select of field.querySelectorAll('select')) select.value = value;
  }
  document.documentElement.dataset.theme = theme;
}

export function listenToChoices() {
  for (const id of ['language', 'theme']) {
    find(id, HTMLFieldSetElement).addEventListener('change', ({ target }) => {
      if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) emit(target, `${id}-chosen`, target.value);
    });
  }
}
