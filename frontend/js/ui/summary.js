// @ts-check
/**
 * The bar with the figures of all images: first what was saved. Events: `notify-when-done`, `pause-all`, `resume-all`, `cancel-all`, `save-all`, `clear-finished`, `filter-chosen` (detail: the
 * filter).
 */
import { el, emit, find, icon, setAttribute, setProperty, setText } from './dom.js';

/** @typedef {import('../core/batch.js').Totals} Totals */
/** @typedef {import('../core/language.js').Words} Words */

/** Filter of the list → its text. @type {[import('../core/arrangement.js').Filter, string][]} */
const FILTERS = [['failed', 'summary.failed'], ['larger', 'summary.larger']];

export class Summary {
  constructor() {
    this.element = find('summary', HTMLElement);
    this.saved = el('strong', { class: 'summary-saved' });
    this.count = el('span', { class: 'summary-count' });
    this.sizes = el('span', { class: 'summary-sizes' });
    this.saving = el('span', { class: 'summary-saving' });
    this.left = el('span', { class: 'summary-left' });
    this.filters = FILTERS.map(([name]) => this.createFilter(name));
    this.bar = el('div', { class: 'summary-bar', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' }, el('span'));
    this.notify = this.createButton('notify-when-done', 'bell', 'button-quiet');
    this.notify.hidden = true;
    this.pause = this.createButton('pause-all', 'pause', '');
    this.resume = this.createButton('resume-all', 'play', '');
    this.cancel = this.createButton('cancel-all', 'close', '');
    this.save = this.createButton('save-all', 'download', 'button-primary');
    this.clear = this.createButton('clear-finished', 'check', '');
    this.element.append(this.bar, el('div', { class: 'summary-inner' },
      el('div', { class: 'summary-facts' }, this.saved, this.count, this.sizes, this.saving, this.left, ...this.filters),
      el('div', { class: 'summary-actions' }, this.notify, this.pause, this.resume, this.cancel, this.clear, this.save)));
    // What stands at the bottom of the window must not cover the end of the page, nor a toast.
    new ResizeObserver(() => document.documentElement.style.setProperty('--summary-height', `${this.element.offsetHeight}px`)).observe(this.element);
    /** While a ZIP is being made. @type {number | null} */
    this.packed_percent = null;
  }

  /** @param {string} name @param {string} symbol @param {string} kind */
  createButton(name, symbol, kind) {
    const button = el('button', { class: `button button-small ${kind}`, type: 'button', id: name }, icon(symbol), el('span'));
    button.addEventListener('click', () => emit(button, name));
    return button;
  }

  /** @param {import('../core/arrangement.js').Filter} name */
  createFilter(name) {
    const button = el('button', { class: `filter filter-${name}`, type: 'button', id: `filter-${name}`, 'aria-pressed': 'false', hidden: '' });
    button.addEventListener('click', () => emit(button, 'filter-chosen', name));
    return button;
  }

  /** @param {Totals} totals @param {number | null} left_s @param {Words} words */
  update(totals, left_s, words) {
    this.element.hidden = totals.total === 0;
    document.documentElement.classList.toggle('has-summary', !this.element.hidden);
    const is_running = totals.running > 0;
    setText(this.saved, !is_running && totals.saved_bytes > 0 ? words.t('summary.saved', { size: words.bytes(totals.saved_bytes) }) : '');
    setText(this.count, words.t(countKey(totals), { n: totals.done, done: totals.done, ended: totals.ended, total: totals.total }));
    setText(this.sizes, totals.before_bytes > 0 ? `${words.bytes(totals.before_bytes)} → ${words.bytes(totals.after_bytes)}` : '');
    setText(this.saving, totals.before_bytes > 0 ? words.saving(totals.saved_percent) : '');
    this.saving.hidden = totals.saved_percent === 0;
    setText(this.left, is_running && left_s !== null ? words.t('summary.left', { left: words.left(left_s) }) : '');
    this.updateBar(totals.percent, is_running, words);
    this.updateFilters(totals, words);
    this.updateButtons(totals, words);
  }

  /** @param {Totals} totals @param {Words} words */
  updateFilters(totals, words) {
    FILTERS.forEach(([name, text], index) => {
      const button = this.filters[index];
      if (totals[name] === 0 && document.activeElement === button) this.focusFirst();
      button.hidden = totals[name] === 0;
      setText(button, words.t(text, { n: totals[name] }));
    });
  }

  /** @param {number} percent @param {boolean} is_running @param {Words} words */
  updateBar(percent, is_running, words) {
    setAttribute(this.bar, 'aria-label', words.t('summary.progress'));
    setAttribute(this.bar, 'aria-valuenow', String(percent));
    setProperty(this.bar, '--whole', String(percent / 100));
    this.bar.hidden = !is_running;
  }

  /** @param {import('../core/arrangement.js').Filter | null} filter of the list, now */
  showFilter(filter) {
    FILTERS.forEach(([name], index) => setAttribute(this.filters[index], 'aria-pressed', String(filter === name)));
  }

  /** @param {Totals} totals @param {Words} words */
  updateButtons(totals, words) {
    const focused = document.activeElement;
    this.pause.hidden = totals.pausable === 0;
    this.resume.hidden = totals.paused === 0 || totals.pausable > 0;
    this.cancel.hidden = totals.running === 0;
    this.clear.hidden = totals.ended === 0 || totals.running > 0;
    this.save.hidden = totals.done < 2;
    this.save.disabled = this.packed_percent !== null;
    setLabel(this.pause, words.t('summary.pause'));
    setLabel(this.resume, words.t('summary.resume'));
    setLabel(this.cancel, words.t('summary.cancel'));
    setLabel(this.clear, words.t('summary.clear'));
    const packing = this.packed_percent === null ? words.t('summary.zip') : words.t('summary.zip_busy', { percent: words.percent(this.packed_percent) });
    setLabel(this.save, packing);
    if (focused instanceof HTMLButtonElement && focused.hidden && this.element.contains(focused)) this.focusFirst();
  }

  /** @param {boolean} is_offered @param {Words} words */
  offerNotification(is_offered, words) {
    const had_focus = document.activeElement === this.notify;
    this.notify.hidden = !is_offered;
    setLabel(this.notify, words.t('summary.notify'));
    if (had_focus && !is_offered) this.focusFirst();
  }

  focusFirst() {
    const next = [this.pause, this.resume, this.cancel, this.clear, this.save].find((each) => !each.hidden) ?? find('choose', HTMLElement);
    next.focus();
  }
}

/** @param {HTMLElement} button @param {string} text */
function setLabel(button, text) {
  setAttribute(button, 'title', text);
  setText(/** @type {Element} */ (button.lastElementChild), text);
}

/** @param {Totals} totals */
function countKey({ running, active, paused, done, total }) {
  if (running === 0) return done === total ? 'summary.all' : 'summary.ended';
  return active === 0 && paused > 0 ? 'summary.paused' : 'summary.running';
}
