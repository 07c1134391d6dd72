// @ts-check
/**
 * Texts and figures in the reader's language. A text may hold `{name}` and `{name|one form|other form}`. The language's plural rule chooses
 * the form; `#` in it is the number. A missing text shows as its key; a test makes sure that none is missing.
 *
 * A value in a right-to-left script is isolated, so that the order of the sentence stays.
 *
 * A language is a BCP 47 tag. Which ones there are, the gateway says: each is a file in `i18n/`.
 *
 * @typedef {Record<string, string | number>} Values
 */

import { isolated } from './bidi.js';
import { formatName } from './capabilities.js';

const FALLBACK = 'en';

/**
 * The language that the reader chose, else the first of the browser's that is offered, in another region if need be; else English.
 * @param {string | null | undefined} chosen
 * @param {readonly string[]} preferred the browser's languages
 * @param {readonly string[]} offered
 * @returns {string}
 */
export function pickLanguage(chosen, preferred, offered) {
  for (const tag of [chosen ?? '', ...preferred]) {
    const found = offered.find((each) => each.toLowerCase() === tag.toLowerCase()) ?? offered.find((each) => primaryTag(each) === primaryTag(tag));
    if (found) return found;
  }
  return FALLBACK;
}

/** `zh` of `zh-TW`. @param {string} tag */
const primaryTag = (tag) => tag.split('-')[0].toLowerCase();

/**
 * A language's name in itself: “English”, “简体中文”. Named with its script where that has a name of its own (zh-CN is zh-Hans); elsewhere a
 * script would only be added in brackets.
 * @param {string} tag
 */
export function languageName(tag) {
  const names = new Intl.DisplayNames([tag], { type: 'language' });
  const { language, script } = new Intl.Locale(tag).maximize();
  const with_script = names.of(`${language}-${script}`) ?? tag;
  const name = /[(（]/.test(with_script) ? names.of(tag) ?? tag : with_script;
  return name[0].toLocaleUpperCase(tag) + name.slice(1);
}

const UNITS = /** @type {const} */ ([['GiB', 2 ** 30], ['MiB', 2 ** 20], ['KiB', 2 ** 10], ['GB', 1e9], ['MB', 1e6], ['KB', 1e3]]);

/**
 * The largest unit without a remainder, binary ones first, as in settings; else MiB with a tenth. Of `backend/texts/sizes.py`.
 * @param {number} bytes
 * @returns {readonly [string, number, number]} name, bytes, decimals
 */
function limitUnit(bytes) {
  const whole = UNITS.find(([, size]) => bytes >= 10_000 && bytes % size === 0);
  if (whole) return [...whole, 0];
  return bytes < 10_000 ? ['B', 1, 0] : bytes < 2 ** 20 ? [...UNITS[2], 1] : [...UNITS[1], 1];
}

/** The texts of one language, and its way to write figures. */
export class Words {
  /**
   * @param {string} language
   * @param {Record<string, string>} catalog
   */
  constructor(language, catalog) {
    this.language = language;
    this.catalog = catalog;
    this.plural = new Intl.PluralRules(language);
    this.whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    this.tenth = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    this.tenths = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  }

  /**
   * @param {string} key
   * @param {Values} [values]
   * @returns {string}
   */
  t(key, values = {}) {
    const text = this.catalog[key] ?? key;
    return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g, (_, name, one, other) => {
      const value = values[name] ?? '';
      const shown = typeof value === 'number' ? this.whole.format(value) : isolated(value);
      if (one === undefined) return shown;
      return (this.plural.select(Number(value)) === 'one' ? one : other).replace('#', shown);
    });
  }

  /** Decimal units, as file managers show them: 610 KB, 4.2 MB. @param {number} bytes */
  bytes(bytes) {
    if (bytes < 1000) return `${this.whole.format(bytes)} B`;
    if (bytes < 999_500) return `${this.whole.format(bytes / 1000)} KB`;
    if (bytes < 999_950_000) return `${this.tenths.format(bytes / 1e6)} MB`;
    return `${this.tenths.format(bytes / 1e9)} GB`;
  }

  /** `2.6 of 4.2 MB`: both in the unit of the whole. @param {number} part @param {number} whole */
  bytesOf(part, whole) {
    const [unit, size] = whole >= 999_950_000 ? ['GB', 1e9] : whole >= 999_500 ? ['MB', 1e6] : ['KB', 1e3];
    const format = size === 1e3 ? this.whole : this.tenths;
    return this.t('figure.of', { part: format.format(part / size), whole: `${format.format(whole / size)} ${unit}` });
  }

  /** A limit in the unit in which it was set, as the gateway's own sentences have it: never rounded up. @param {number} bytes */
  limit(bytes) {
    const [unit, size, digits] = limitUnit(bytes);
    return `${(digits ? this.tenth : this.whole).format(Math.floor(bytes / size * 10 ** digits) / 10 ** digits)} ${unit}`;
  }

  /** What is beyond a limit, in the limit's own unit: never rounded down to it. @param {number} bytes @param {number} limit_bytes */
  beyond(bytes, limit_bytes) {
    const [unit, size] = limitUnit(limit_bytes);
    return `${this.tenth.format(Math.ceil(bytes / size * 10) / 10)} ${unit}`;
  }

  /** @param {string[]} names */
  list(names) {
    return names.join(this.t('figure.separator'));
  }

  /** @param {number} percent */
  percent(percent) {
    return `${this.whole.format(percent)}%`;
  }

  /** `−85%` or `+12%`. @param {number} saved */
  saving(saved) {
    return `${saved > 0 ? '−' : '+'}${this.whole.format(Math.abs(saved))}%`;
  }

  /** Time left, rounded as people say it. @param {number} seconds */
  left(seconds) {
    if (seconds < 5) return this.t('left.few');
    if (seconds < 55) return this.t('left.seconds', { n: Math.max(5, Math.round(seconds / 5) * 5) });
    if (seconds < 3300) return this.t('left.minutes', { n: Math.max(1, Math.round(seconds / 60)) });
    return this.t('left.hours', { n: Math.max(1, Math.round(seconds / 3600)) });
  }

  /** A measured time, to a tenth of a second below a minute. @param {number} seconds */
  duration(seconds) {
    if (seconds < 59.95) return this.t('duration.seconds', { n: this.tenth.format(seconds) });
    const whole = Math.round(seconds);
    return this.t('duration.minutes', { n: Math.floor(whole / 60), s: whole % 60 });
  }

  /** A period that the operator set, in whole days, hours or minutes. @param {number} seconds */
  period(seconds) {
    if (seconds >= 172_800) return this.t('period.days', { n: Math.round(seconds / 86_400) });
    if (seconds >= 5400) return this.t('period.hours', { n: Math.round(seconds / 3600) });
    return this.t('period.minutes', { n: Math.max(1, Math.round(seconds / 60)) });
  }

  /** As people write it. @param {string} name of a format */
  format(name) {
    return formatName(name);
  }

  /** @param {number} pixels */
  megapixels(pixels) {
    return this.tenth.format(pixels / 1e6);
  }
}
