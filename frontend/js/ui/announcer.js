// @ts-check
/**
 * Speaks through the two live regions of the page: news politely, failures at once. A message at most every three seconds; what comes in
 * between waits, and of news only the latest; the same words are not repeated; the region is emptied so that old news is not read later.
 */
import { find } from './dom.js';
import { waitBeforeSpeaking } from '../core/news.js';

const CLEAR_MS = 1500;

class Voice {
  /** @param {string} id of the live region */
  constructor(id) {
    this.element = find(id, HTMLElement);
    this.last = '';
    this.last_ms = -Infinity;
    this.next = '';
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
  }

  /** @param {string} text */
  say(text) {
    if (!text || text === this.last) return;
    this.next = text;
    if (this.timer === null) this.timer = setTimeout(() => this.speak(), waitBeforeSpeaking(this.last_ms, Date.now()));
  }

  speak() {
    this.timer = null;
    this.last = this.next;
    this.last_ms = Date.now();
    this.element.textContent = this.next;
    setTimeout(() => {
      if (this.element.textContent === this.last) this.element.textContent = '';
    }, CLEAR_MS);
  }
}

export class Announcer {
  constructor() {
    this.polite = new Voice('said');
    this.urgent = new Voice('alerted');
  }

  /** @param {string} text */
  say(text) {
    this.polite.say(text);
  }

  /** @param {string} text */
  alert(text) {
    this.urgent.say(text);
  }
}
