// @ts-check
/** All images together: the summary bar, the title and icon of the tab, and what is announced of their progress. */
import { NOTHING_ANNOUNCED, completionText, failureText, nextAnnouncement } from './core/announcements.js';
import { totalsOf } from './core/batch.js';
import { canConvertAgain } from './core/convert-again.js';
import { secondsLeft, startEta, updateEta } from './core/eta.js';
import { sentenceOf } from './core/problem.js';
import { BackgroundProgress } from './ui/background-progress.js';
import { compactPicker } from './ui/picker.js';
import { showApply } from './ui/settings-tools.js';
import { Summary } from './ui/summary.js';

/** @typedef {import('./core/types.js').Item} Item */
/** @typedef {import('./core/batch.js').Totals} Totals */
/**
 * @typedef {object} Context
 * @property {import('./items.js').Items} items
 * @property {import('./core/types.js').Capabilities} capabilities
 * @property {() => import('./core/language.js').Words} words
 * @property {import('./ui/announcer.js').Announcer} announcer
 */

const UPDATE_EVERY_MS = 250;

export class Overview {
  /** @param {Context} context */
  constructor({ items, capabilities, words, announcer }) {
    this.items = items;
    this.capabilities = capabilities;
    this.words = words;
    this.announcer = announcer;
    this.summary = new Summary();
    this.background = new BackgroundProgress();
    this.announced = NOTHING_ANNOUNCED;
    /** Not announced yet. @type {{name: string, why: string}[]} */
    this.failures = [];
    this.eta = startEta(Date.now());
    this.is_update_due = false;
    /** Whether the gateway does not answer: then nothing can be said of the time left. */
    this.is_stalled = false;
    items.listen({
      // With the first image the page changes its shape: at once, before anything stands below.
      onAdded: () => items.size === 1 ? this.update() : this.updateSoon(),
      onChanged: (item, before) => {
        this.updateSoon();
        if (item.state === 'failed' && before.state !== 'failed') this.noteFailure(item);
      },
      onRemoved: () => this.updateSoon(),
    });
  }

  /** @param {Item} item */
  noteFailure(item) {
    if (item.problem) this.failures.push({ name: item.name, why: sentenceOf(item.problem, item, this.capabilities, this.words()) });
  }

  updateSoon() {
    if (this.is_update_due) return;
    this.is_update_due = true;
    setTimeout(() => this.update(), UPDATE_EVERY_MS);
  }

  update() {
    this.is_update_due = false;
    const words = this.words();
    const totals = totalsOf(this.items.all());
    this.updateEta(totals);
    this.summary.update(totals, secondsLeft(this.eta), words);
    this.summary.offerNotification(totals.running > 0 && this.background.canOfferNotification(), words);
    this.background.update(totals, words, completionText(totals, words));
    compactPicker(this.items.size > 0);
    showApply(this.items.all().filter((item) => canConvertAgain(item, this.capabilities)).length, words);
    document.title = totals.running > 0 ? words.t('page.title_running', { percent: words.percent(totals.percent) }) : words.t('page.title');
    this.announce(totals);
  }

  /** Of what is worked on: what stands still has no time left that could be told. @param {Totals} totals */
  updateEta({ active, weight, weight_done, weight_standing }) {
    const is_new = active === 0 || this.is_stalled || weight_done < this.eta.count;
    this.eta = is_new ? startEta(Date.now(), weight_done) : updateEta(this.eta, weight_done, weight - weight_standing, Date.now());
  }

  /** @param {Totals} totals */
  announce(totals) {
    const { announced, text } = nextAnnouncement(this.announced, totals, this.words());
    this.announced = announced;
    this.announcer.announce(text);
    if (this.announcer.hasAlert()) return;
    this.announcer.alert(failureText(this.failures, this.words()));
    this.failures = [];
  }

  /** @param {import('./core/arrangement.js').Filter | null} filter of the list */
  showFilter(filter) {
    this.summary.showFilter(filter);
  }

  /** @param {number | null} percent of the ZIP that is being made; null when there is none */
  showPacking(percent) {
    this.summary.packed_percent = percent;
    this.update();
  }
}
