// @ts-check
/**
 * Progress for a reader who looks at something else: a ring in the tab's icon, a system notification at the end (if asked for), and a screen
 * that stays on while the page is visible.
 */

/** @typedef {import('../core/batch.js').Totals} Totals */
/** @typedef {import('../core/language.js').Words} Words */

const STEP_PERCENT = 5;
const RADIUS = 12;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;

export class BackgroundProgress {
  constructor() {
    this.icon = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="icon"]'));
    this.icon_at_rest = this.icon?.href ?? '';
    this.shown_step = -1;
    this.was_running = false;
    this.is_notification_wanted = false;
    /** @type {Promise<{release: () => Promise<void>}> | null} */
    this.wake_lock = null;
  }

  /** Whether the reader may still ask to be notified. */
  canOfferNotification() {
    return isSecureContext && 'Notification' in window && Notification.permission !== 'denied' && !this.is_notification_wanted;
  }

  /** After a click only: browsers refuse to ask otherwise. Resolves to whether the reader allowed it. */
  async askForNotification() {
    this.is_notification_wanted = await Notification.requestPermission() === 'granted';
    return this.is_notification_wanted;
  }

  /** @param {Totals} totals @param {Words} words @param {string} completion the text of the notification */
  update(totals, words, completion) {
    const is_running = totals.running > totals.paused;
    this.showRing(is_running ? totals.percent : null);
    if (is_running !== this.was_running) this.keepScreenOn(is_running);
    if (this.was_running && totals.running === 0 && this.is_notification_wanted) this.notify(words.t('page.name'), completion);
    this.was_running = is_running;
  }

  /** Once, and only when the page is not visible. @param {string} title @param {string} text */
  notify(title, text) {
    this.is_notification_wanted = false;
    if (!document.hidden) return;
    const notification = new Notification(title, { body: text, icon: this.icon_at_rest });
    notification.addEventListener('click', () => window.focus());
  }

  /** @param {number | null} percent null: the icon at rest */
  showRing(percent) {
    const step = percent === null ? -1 : Math.floor(percent / STEP_PERCENT);
    if (!this.icon || step === this.shown_step) return;
    this.shown_step = step;
    this.icon.href = percent === null ? this.icon_at_rest : `data:image/svg+xml,${encodeURIComponent(ringSvg(percent / 100))}`;
  }

  /** @param {boolean} is_wanted */
  keepScreenOn(is_wanted) {
    this.wake_lock?.then((lock) => lock.release()).catch(() => {});
    this.wake_lock = is_wanted && document.visibilityState === 'visible' ? navigator.wakeLock?.request('screen') ?? null : null;
    // Refused when the battery is low: then the screen turns off as usual.
    this.wake_lock?.catch(() => {});
  }
}

/** @param {number} share 0–1 */
function ringSvg(share) {
  const circle = (/** @type {string} */ colour, /** @type {number} */ length) =>
    `<circle cx="16" cy="16" r="${RADIUS}" fill="none" stroke="${colour}" stroke-width="7" stroke-dasharray="${length} ${CIRCUMFERENCE}" transform="rotate(-90 16 16)"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${circle('#9db2aa', CIRCUMFERENCE)}${circle('#0a8f6c', share * CIRCUMFERENCE)}</svg>`;
}
