// @ts-check
/**
 * For a reader who looks elsewhere while a batch runs: a ring in the tab's icon, a note of the system when it is done (only if asked for), and a
 * screen that stays on while the page is seen.
 */

/** @typedef {import('../core/batch.js').Totals} Totals */
/** @typedef {import('../core/language.js').Words} Words */

const STEP_PERCENT = 5;
const ROUND = 2 * Math.PI * 12;

export class BackgroundProgress {
  constructor() {
    this.icon = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="icon"]'));
    this.plain = this.icon?.href ?? '';
    this.shown = -1;
    this.was_running = false;
    this.is_wanted = false;
    /** @type {Promise<{release: () => Promise<void>}> | null} */
    this.wake = null;
  }

  /** Whether the reader may still ask for a note. */
  canOffer() {
    return isSecureContext && 'Notification' in window && Notification.permission !== 'denied' && !this.is_wanted;
  }

  /** After a click only: browsers refuse to ask by themselves, and so do we. */
  async want() {
    this.is_wanted = await Notification.requestPermission() === 'granted';
    return this.is_wanted;
  }

  /** @param {Totals} totals @param {Words} words @param {string} end what to say when it is done */
  update(totals, words, end) {
    const is_running = totals.running > totals.paused;
    this.showRing(is_running ? totals.percent : -1);
    if (is_running !== this.was_running) this.stayAwake(is_running);
    if (this.was_running && totals.running === 0 && this.is_wanted) this.tell(words.t('page.name'), end);
    this.was_running = is_running;
  }

  /** @param {string} title @param {string} text */
  tell(title, text) {
    this.is_wanted = false;
    if (!document.hidden) return;
    const note = new Notification(title, { body: text, icon: this.plain });
    note.addEventListener('click', () => window.focus());
  }

  /** @param {number} percent below zero: no ring */
  showRing(percent) {
    const step = percent < 0 ? -1 : Math.floor(percent / STEP_PERCENT);
    if (!this.icon || step === this.shown) return;
    this.shown = step;
    this.icon.href = percent < 0 ? this.plain : `data:image/svg+xml,${encodeURIComponent(ring(percent / 100))}`;
  }

  /** @param {boolean} is_wanted */
  stayAwake(is_wanted) {
    this.wake?.then((lock) => lock.release()).catch(() => {});
    this.wake = is_wanted && document.visibilityState === 'visible' ? navigator.wakeLock?.request('screen') ?? null : null;
    // Refused on a low battery: then the screen goes dark, as it would without.
    this.wake?.catch(() => {});
  }
}

/** @param {number} share */
function ring(share) {
  const circle = (/** @type {string} */ colour, /** @type {number} */ length) =>
    `<circle cx="16" cy="16" r="12" fill="none" stroke="${colour}" stroke-width="7" stroke-dasharray="${length} ${ROUND}" transform="rotate(-90 16 16)"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${circle('#9db2aa', ROUND)}${circle('#0a8f6c', share * ROUND)}</svg>`;
}
