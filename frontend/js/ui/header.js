// @ts-check
/** Language and theme: two groups of radio buttons. Events: `language-chosen`, `theme-chosen`. */
import { emit, find } from './dom.js';

/** @param {string} language @param {string} theme */
export function showChoices(language, theme) {
  for (const [id, value] of [['language', language], ['theme', theme]]) {
    for (const input of find(id, HTMLFieldSetElement).querySelectorAll('input')) input.checked = input.value === value;
  }
  document.documentElement.dataset.theme = theme;
}

export function listenToChoices() {
  for (const id of ['language', 'theme']) {
    find(id, HTMLFieldSetElement).addEventListener('change', (event) => {
      if (event.target instanceof HTMLInputElement) emit(event.target, `${id}-chosen`, event.target.value);
    });
  }
}
