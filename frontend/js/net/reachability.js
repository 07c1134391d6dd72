// @ts-check
/**
 * Whether the gateway answers at all. Every request of `Api` says whether it was answered, and so does each update of a job. While the page waits
 * for something and hears nothing, the gateway is asked whether it lives. A gateway that froze is known within eight seconds, one that went away
 * within five; a worker that is replaced is back before.
 */

/**
 * @typedef {object} Context
 * @property {import('./api.js').Api} api
 * @property {() => boolean} isWaiting whether anything is to come from the gateway
 * @property {(is_reachable: boolean) => void} onChange
 */

const CHECK_EVERY_MS = 1000;
/** After so long without a word the gateway is asked. */
const QUIET_MS = 4000;
/** An unanswered question is bad news only after so long without a word. */
const PATIENCE_MS = 3000;

export class Reachability {
  /** @param {Context} context */
  constructor({ api, isWaiting, onChange }) {
    this.api = api;
    this.isWaiting = isWaiting;
    this.onChange = onChange;
    this.is_reachable = true;
    /** Whether the last request was answered. */
    this.is_answered = true;
    this.heard_ms = Date.now();
    this.is_asking = false;
    api.onAnswer = (is_answered) => this.note(is_answered);
    setInterval(() => this.check(), CHECK_EVERY_MS);
  }

  /** @param {boolean} is_answered */
  note(is_answered) {
    this.is_answered = is_answered;
    if (is_answered) this.heard_ms = Date.now();
    const is_reachable = is_answered || this.is_reachable && Date.now() - this.heard_ms < PATIENCE_MS;
    if (is_reachable === this.is_reachable) return;
    this.is_reachable = is_reachable;
    this.onChange(is_reachable);
  }

  /** Ask, if there is reason to. */
  async check() {
    const is_quiet = !this.is_answered || Date.now() - this.heard_ms >= QUIET_MS;
    if (this.is_asking || !is_quiet || !this.isWaiting()) return;
    this.is_asking = true;
    await this.api.checkLife();
    this.is_asking = false;
  }
}
