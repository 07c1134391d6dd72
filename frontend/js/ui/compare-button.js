// @ts-check
import { el, icon } from './dom.js';

/** With a symbol instead of the text, if one is given. @param {string} kind @param {string} text @param {() => void} act @param {string} [symbol] */
export function createButton(kind, text, act, symbol) {
  /** @type {Record<string, string>} */
  const names = symbol ? { 'aria-label': text, title: text } : {};
  const button = el('button', { class: `button ${kind}`, type: 'button', ...names }, symbol ? icon(symbol) : text);
  button.addEventListener('click', act);
  return button;
}
