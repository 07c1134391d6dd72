// @ts-check
/** Messages to the reader: a toast to see, an announcement to hear. */
import { sentenceOf } from './core/problem.js';
import { Announcer } from './ui/announcer.js';
import { showToast } from './ui/toasts.js';

/** @typedef {import('./core/types.js').Item} Item */
/** @typedef {import('./core/language.js').Values} Values */

export class Messages {
  /** @param {import('./core/types.js').Capabilities} capabilities @param {() => import('./core/language.js').Words} words */
  constructor(capabilities, words) {
    this.capabilities = capabilities;
    this.words = words;
    this.announcer = new Announcer();
  }

  /** @param {string} key @param {Values} [values] */
  announce(key, values) {
    this.announcer.announce(this.words().t(key, values));
  }

  /** @param {string} key @param {Values} [values] */
  show(key, values) {
    showToast(this.words().t(key, values), this.words());
  }

  /** @param {string} text @param {{onUndo: () => void, onEnd: () => void}} handlers */
  showWithUndo(text, handlers) {
    showToast(text, this.words(), handlers);
  }

  /** @param {string} key */
  showError(key) {
    this.alert(this.words().t(key));
  }

  /** @param {Item} item @param {import('./core/types.js').Problem} problem */
  showProblem(item, problem) {
    const words = this.words();
    this.alert(words.t('announce.failure', { name: item.name, why: sentenceOf(problem, item, this.capabilities, words) }));
  }

  /** @param {string} text */
  alert(text) {
    showToast(text, this.words());
    this.announcer.alert(text);
  }
}
