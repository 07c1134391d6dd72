// @ts-check
/**
 * Announces messages to screen readers through the page's two live regions: status messages politely, failures as alerts. At most one message
 * in three seconds, alerts first. While messages wait, a newer status message replaces the older. The same text is not repeated. A region is
 * emptied after a moment, so that a reader who moves over it later does not meet an old message.
 */
import { find } from './dom.js';
import { delayBeforeSpeaking } from '../core/announcements.js';

const CLEAR_MS = 1500;

export class Announcer {
  constructor() {
    this.alerts = { element: find('alerts', HTMLElement), next: '', last: '' };
    this.messages = { element: find('announcements', HTMLElement), next: '', last: '' };
    this.last_ms = -Infinity;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
  }

  /** @param {string} text */
  announce(text) {
    if (!text || text === this.messages.last) return;
    this.messages.next = text;
    this.schedule();
  }

  /** Replaces an alert that still waits: see `hasAlert`. @param {string} text */
  alert(text) {
    if (!text || text === this.alerts.last) return;
    this.alerts.next = text;
    this.schedule();
  }

  /** Whether an alert still waits. */
  hasAlert() {
    return this.alerts.next !== '';
  }

  schedule() {
    this.timer ??= setTimeout(() => this.speak(), delayBeforeSpeaking(this.last_ms, Date.now()));
  }

  speak() {
    this.timer = null;
    const region = this.hasAlert() ? this.alerts : this.messages;
    const { element, next } = region;
    region.last = next;
    region.next = '';
    this.last_ms = Date.now();
    element.textContent = next;
    setTimeout(() => {
      if (element.textContent === next) element.textContent = '';
    }, CLEAR_MS);
    if (this.messages.next) this.schedule();
  }
}
