// @ts-check
/** Beside the pictures: format, kind, quality and size, and what came of them. Each movement is passed on; what is shown comes back when it is there. */
import { el, setAttribute, setText } from './dom.js';
import { createButton } from './compare-button.js';
import { isWithoutLoss, shownQuality, sizeOf } from '../core/compare-settings.js';
import { formatsOf, hasQuality, presetsOf } from '../core/options.js';
import { DEFAULT_FORMAT, formatName, optionSchema, outputFormats } from '../core/capabilities.js';
import { savedPercent } from '../core/batch.js';

/** @typedef {import('../core/compare-settings.js').Change} Change */
/** @typedef {import('../core/compare-settings.js').SizeChoice} SizeChoice */
/** @typedef {import('../core/options.js').Settings} Settings */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/types.js').Result} Result */
/** @typedef {import('../core/types.js').Source} Source */
/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {{settings: Settings, result: Result, source_bytes: number, source: Source | null, seconds: number | null, is_kept: boolean}} Outcome */
/** @typedef {{onChange: (change: Change) => void, onFile: (index: number) => void, onUse: () => void, onDownload: () => void}} Handlers */

const KINDS = /** @type {const} */ ([['auto', 'settings.auto'], ['photo', 'settings.photo'], ['graphic', 'settings.graphic'], ['lossless', 'settings.lossless']]);
/** Below this a result was there already. */
const SHOWN_S = 0.05;

export class ComparePanel {
  /** @param {Words} words @param {Capabilities} capabilities @param {Handlers} handlers */
  constructor(words, capabilities, handlers) {
    this.words = words;
    this.capabilities = capabilities;
    this.handlers = handlers;
    const { minimum = 0, maximum = 100 } = optionSchema(capabilities, 'quality');
    this.format = el('select', { id: 'compare-format' }, ...outputFormats(capabilities).map(({ name }) => el('option', { value: name }, formatName(name))));
    this.kinds = el('fieldset', { class: 'segments compare-kinds' }, el('legend', { class: 'visually-hidden' }, words.t('compare.kind')),
      ...KINDS.map(([name, text]) => el('label', {}, el('input', { type: 'radio', name: 'compare-kind', value: name }), el('span', {}, words.t(text)))));
    this.quality = el('input', { type: 'range', id: 'compare-quality', min: String(minimum), max: String(maximum), step: '1', 'aria-describedby': 'compare-hint' });
    this.number = el('output', { for: 'compare-quality' });
    this.hint = el('small', { id: 'compare-hint' });
    this.size = el('select', { id: 'compare-size' });
    this.quality_field = el('div', { class: 'field' }, el('label', { for: 'compare-quality' }, words.t('compare.quality')), el('div', { class: 'dial' }, this.quality, this.number), this.hint);
    const format_field = el('div', { class: 'field' }, el('label', { for: 'compare-format' }, words.t('compare.format')), this.format);
    this.file = el('select', { id: 'compare-file' });
    const file_field = el('div', { class: 'field compare-file' }, el('label', { for: 'compare-file' }, words.t('compare.file')), this.file);
    this.form = el('div', { class: 'compare-settings' }, file_field, ...(this.format.length > 0 ? [format_field] : []), this.kinds, this.quality_field,
      el('div', { class: 'field' }, el('label', { for: 'compare-size' }, words.t('compare.size')), this.size));
    this.bytes = el('strong', { class: 'compare-bytes' });
    this.saving = el('span', { class: 'compare-saving' });
    this.facts = el('ul', { class: 'compare-facts' });
    this.bar = el('progress', { max: '100', 'aria-label': words.t('compare.encoding') });
    this.status = el('p', { class: 'compare-status' });
    /** What is spoken: ends and problems, but no percent. */
    this.live = el('p', { class: 'visually-hidden', role: 'status' });
    this.use = this.createAction('button-primary', 'compare.use', () => handlers.onUse());
    this.download = this.createAction('', 'row.download', () => handlers.onDownload());
    this.element = el('section', { class: 'compare-panel', 'aria-label': words.t('compare.panel') },
      el('div', { class: 'compare-outcome' }, el('p', { class: 'compare-size' }, this.bytes, this.saving), this.bar), this.form, this.facts, this.status, this.live,
      el('div', { class: 'compare-actions' }, this.use, this.download));
    this.listen();
  }

  /** One that can do nothing keeps the focus. @param {string} kind @param {string} text @param {() => void} act */
  createAction(kind, text, act) {
    const button = createButton(kind, this.words.t(text), () => button.getAttribute('aria-disabled') !== 'true' && act());
    return button;
  }

  listen() {
    this.file.addEventListener('change', () => this.handlers.onFile(this.file.selectedIndex));
    this.format.addEventListener('change', () => this.handlers.onChange({ format: this.format.value }));
    this.kinds.addEventListener('change', (event) => event.target instanceof HTMLInputElement && this.handlers.onChange({ preset: event.target.value }));
    this.quality.addEventListener('input', () => this.handlers.onChange({ quality: Number(this.quality.value) }));
    this.size.addEventListener('change', () => this.handlers.onChange({ size: this.size.value }));
  }

  /** Another image. @param {SizeChoice[]} sizes @param {boolean} can_encode whether the gateway can encode its source again */
  showSizes(sizes, can_encode) {
    this.size.replaceChildren(...sizes.map((each) => el('option', { value: each.value }, this.sizeText(each))));
    this.form.hidden = this.use.hidden = !can_encode;
  }

  /** Of an image that has several files one is compared. They are not made anew here. @param {string[]} names none of another image @param {number} chosen */
  showFiles(names, chosen) {
    const is_several = names.length > 0;
    this.form.classList.toggle('has-files', is_several);
    this.file.replaceChildren(...names.map((name) => el('option', {}, name)));
    this.file.selectedIndex = chosen;
    if (is_several) [this.form.hidden, this.use.hidden] = [false, true];
  }

  /** @param {SizeChoice} choice */
  sizeText({ value, side, is_own }) {
    if (is_own) return value.split('x', 2).map((each) => each || '∞').join(' × ');
    return side === null ? this.words.t('compare.size_source') : this.words.t('compare.size_side', { n: side });
  }

  /** @param {Settings} settings @param {Result | null} result what was last made of them, as far as it says a quality */
  showSettings(settings, result) {
    const quality = shownQuality(settings, result);
    this.showFormat(settings);
    if (document.activeElement !== this.quality || hasQuality(settings)) this.quality.value = String(quality ?? settings.quality);
    const { min, max, value } = this.quality;
    this.quality.style.setProperty('--value', String((Number(value) - Number(min)) / (Number(max) - Number(min))));
    setAttribute(this.quality, 'aria-valuetext', quality === null ? this.words.t('compare.no_quality') : null);
    setText(this.number, quality === null ? '–' : this.words.whole.format(quality));
    setText(this.hint, this.words.t(hasQuality(settings) ? 'compare.hint_quality' : settings.preset === 'auto' ? 'compare.hint_auto' : 'compare.hint_lossless'));
    this.size.value = sizeOf(settings);
  }

  /** And what can be chosen for it. @param {Settings} settings */
  showFormat(settings) {
    const presets = presetsOf(formatsOf(settings), this.capabilities);
    this.format.value = settings.format;
    this.kinds.hidden = this.quality_field.hidden = presets.length === 0;
    for (const input of this.kinds.querySelectorAll('input')) {
      input.checked = input.value === settings.preset;
      if (input.parentElement) input.parentElement.hidden = !presets.some((preset) => preset === input.value);
    }
  }

  /** @param {Outcome} outcome */
  showOutcome({ settings, result, source_bytes, source, seconds, is_kept }) {
    const { words } = this;
    const saved = savedPercent(source_bytes, result.bytes);
    setText(this.bytes, words.bytes(result.bytes));
    this.bytes.dataset.bytes = this.bytes.title = String(result.bytes);
    setText(this.saving, words.saving(saved));
    this.saving.className = `compare-saving ${saved > 0 ? 'is-smaller' : 'is-larger'}`;
    const facts = [
      words.t('compare.fact_original', { format: formatName(source?.format ?? ''), size: words.bytes(source_bytes) }),
      `${formatName(result.format ?? DEFAULT_FORMAT)}, ${result.width} × ${result.height}`,
      this.kindText(settings, result),
      result.bytes > source_bytes ? words.t('compare.fact_larger') : '',
      ...(seconds === null || seconds < SHOWN_S ? [] : [words.t('compare.fact_seconds', { time: words.duration(seconds) })]),
    ];
    this.facts.replaceChildren(...facts.filter(Boolean).map((each) => el('li', {}, each)));
    setText(this.use, words.t(is_kept ? 'compare.used' : 'compare.use'));
    this.enable({ use: !is_kept, download: true });
  }

  /** @param {Settings} settings @param {Result} result */
  kindText(settings, result) {
    const kind = this.words.t(KINDS.find(([name]) => name === settings.preset)?.[1] ?? '');
    if (result.original) return this.words.t('compare.fact_own');
    if (isWithoutLoss(settings, this.capabilities)) return this.words.t('settings.lossless');
    const quality = shownQuality(settings, result);
    if (quality !== null) return this.words.t('compare.fact_quality', { kind, quality });
    return settings.preset === 'lossless' ? kind : result.lossless ? this.words.t('compare.fact_lossless', { kind }) : kind;
  }

  /** @param {{use: boolean, download: boolean}} enabled */
  enable({ use, download }) {
    this.use.setAttribute('aria-disabled', String(!use));
    this.download.setAttribute('aria-disabled', String(!download));
  }

  /** An encode is under way. @param {number} percent @param {string} text */
  showProgress(percent, text) {
    this.element.classList.add('is-encoding');
    this.bar.hidden = false;
    this.bar.value = percent;
    this.enable({ use: false, download: false });
    setText(this.status, text);
  }

  /** None is under way any more. @param {string} text that is seen and spoken @param {string} [spoken] instead of it */
  showEnd(text, spoken = text) {
    this.element.classList.remove('is-encoding');
    this.bar.hidden = true;
    setText(this.status, text);
    setText(this.live, spoken);
  }
}
