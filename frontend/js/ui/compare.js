// @ts-check
/** Before and after, in a dialog: the two pictures, and beside them the settings of the second. It knows no gateway; `comparison.js` leads it. */
import { el, setText } from './dom.js';
import { createButton } from './compare-button.js';
import { ComparePanel } from './compare-panel.js';
import { CompareStage } from './compare-stage.js';

/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('./compare-stage.js').Mode} Mode */
/** @typedef {import('./compare-panel.js').Handlers & {onStep: (step: 1 | -1) => void, onMode: (mode: Mode) => void, onClose: () => void}} Handlers */

const STEPS = /** @type {Record<string, 1 | -1>} */ ({ ArrowLeft: -1, ArrowRight: 1 });

export class CompareDialog {
  /** @param {Words} words @param {Capabilities} capabilities @param {Handlers} handlers */
  constructor(words, capabilities, handlers) {
    this.words = words;
    this.handlers = handlers;
    this.opener = document.activeElement;
    this.stage = new CompareStage(words, handlers);
    this.panel = new ComparePanel(words, capabilities, handlers);
    this.note = el('p', { class: 'compare-note' });
    this.name = el('p', { class: 'compare-name' });
    this.place = el('span', { class: 'compare-place' });
    this.previous = this.createStep('compare.previous', 'previous', -1);
    this.next = this.createStep('compare.next', 'next', 1);
    this.dialog = this.createDialog();
  }

  /** @param {string} text @param {string} symbol @param {1 | -1} step */
  createStep(text, symbol, step) {
    const button = createButton('button-icon button-quiet compare-step', this.words.t(text), () => this.handlers.onStep(step), 'chevron');
    button.classList.add(`is-${symbol}`);
    button.setAttribute('aria-keyshortcuts', step > 0 ? 'Shift+ArrowRight' : 'Shift+ArrowLeft');
    return button;
  }

  createDialog() {
    const { words, stage, panel } = this;
    const close = createButton('button-icon button-quiet', words.t('compare.close'), () => this.dialog.close(), 'close');
    const dialog = el('dialog', { class: 'compare', 'aria-labelledby': 'compare-title' },
      el('header', { class: 'compare-head' },
        el('div', { class: 'compare-titles' }, el('h2', { id: 'compare-title' }, words.t('compare.title')), this.name),
        this.place, this.previous, this.next, close),
      stage.element, this.note, el('div', { class: 'compare-foot' }, ...stage.controls), panel.element);
    dialog.addEventListener('keydown', (event) => this.onKey(event));
    dialog.addEventListener('close', () => this.close());
    return dialog;
  }

  open() {
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  /** Previous and next by Shift and an arrow, from wherever the focus is. @param {KeyboardEvent} event */
  onKey(event) {
    const step = STEPS[event.key];
    if (!step || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (!(step > 0 ? this.next : this.previous).disabled) this.handlers.onStep(step);
  }

  /** @param {string} name @param {number} at from 0 @param {number} count */
  showName(name, at, count) {
    setText(this.name, name);
    this.name.title = name;
    setText(this.place, count > 1 ? this.words.t('compare.place', { n: at + 1, total: count }) : '');
    this.previous.hidden = this.next.hidden = count < 2;
    this.keepFocus(this.previous, at <= 0);
    this.keepFocus(this.next, at >= count - 1);
  }

  /** A button that has the focus and is of no use any more gives it to the slider. @param {HTMLButtonElement} button @param {boolean} is_disabled */
  keepFocus(button, is_disabled) {
    if (is_disabled && document.activeElement === button) this.stage.range.focus();
    button.disabled = is_disabled;
  }

  /** @param {string} text empty for none @param {boolean} [is_spoken] */
  showNote(text, is_spoken = true) {
    this.note.hidden = text === '';
    setText(this.note, text);
    if (is_spoken) setText(this.panel.live, text);
  }

  close() {
    this.stage.close();
    this.dialog.remove();
    this.handlers.onClose();
    if (this.opener instanceof HTMLElement && this.opener.isConnected) this.opener.focus();
  }
}
