// @ts-check
/**
 * Speaks through the two live regions of the page: news politely, failures as alerts. One message at most every three seconds, whichever
 * region says it, failures first; what comes in between waits, and of news only the latest; the same words are not repeated; a region is
 * emptied so that old news is not read later.
 */
import { find } from './dom.js';
import { delayBeforeSpeaking } from '../core/announcements.js';

const CLEAR_MS = 1500;

export class Announcer {
  constructor() {
    this.alerts = { element: find('alerted', HTMLElement), next: '', last: '' };
    this.news = { element: find('said', HTMLElement), next: '', last: '' };
    this.last_ms = -Infinity;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
  }

  /** @param {string} text */
  say(text) {
    if (!text || text === this.news.last) return;
    this.news.next = text;
    this.schedule();
  }

  /** Not while another one waits: see `hasAlert`. @param {string} text */
  alert(text) {
    if (!text || text === this.alerts.last) return;
    this.alerts.next = text;
    this.schedule();
  }

  /** Whether an alert still waits for its turn; another would take its place. */
  hasAlert() {
    return this.alerts.next !== '';
  }

  schedule() {
    this.timer ??= setTimeout(() => this.speak(), delayBeforeSpeaking(this.last_ms, Date.now()));
  }

  speak() {
    this.timer = null;
    const voice = this.hasAlert() ? this.alerts : this.news;
    const { element, next } = voice;
    voice.last = next;
    voice.next = '';
    this.last_ms = Date.now();
    element.textContent = next;
    setTimeout(() => {
      if (element.textContent === next) element.textContent = '';
    }, CLEAR_MS);
    if (this.news.next) this.schedule();
  }
}
