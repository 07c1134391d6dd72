// @ts-check
/**
 * The comparison of an image before and after, and of variants that are encoded while somebody looks. Loaded when it is opened first. Nothing
 * that was tried out stays at the gateway, but for the variant that somebody uses: that becomes the image's result.
 */
import { changeSettings, isSameQuery, sizeChoices } from './core/compare-settings.js';
import { storedOrigin } from './core/convert-again.js';
import { resultName } from './core/filenames.js';
import { queryOf, settingsOfQuery } from './core/options.js';
import { sentenceOf } from './core/problem.js';
import { isFinal } from './core/states.js';
import { newId } from './new-id.js';
import { sourcePath } from './net/api.js';
import { Previews } from './net/previews.js';
import { Variants } from './net/variants.js';
import { CompareDialog } from './ui/compare.js';
import { measureDifference } from './ui/difference.js';
import { saveBlob } from './ui/save.js';
import { loadStyles } from './ui/styles.js';

/** @typedef {import('./core/types.js').Item} Item */
/** @typedef {import('./core/types.js').Job} Job */
/** @typedef {import('./core/types.js').Result} Result */
/** @typedef {import('./core/types.js').Problem} Problem */
/** @typedef {import('./net/variants.js').Variant} Variant */
/** @typedef {{result: Result, options: Record<string, string>, blob: Blob | null, seconds: number | null, is_kept: boolean}} Shown */

/** So long the first view waits for the place of the largest difference; then it is moved there when it is known. */
const PLACE_MS = 600;

export class Comparison {
  /** @param {import('./gallery.js').Gallery} gallery */
  constructor(gallery) {
    this.gallery = gallery;
    const net = { api: gallery.api, updates: gallery.updates };
    this.previews = new Previews(net);
    this.variants = new Variants(net, {
      onProgress: (job) => this.showProgress(job),
      onBusy: (problem, wait_s) => this.dialog?.panel.showProgress(0, this.words().t('compare.busy', { problem: this.sentence(problem), n: Math.ceil(wait_s) })),
      onVariant: (variant) => this.showVariant(variant),
      onProblem: (problem) => this.showProblem(problem),
    });
    /** @type {CompareDialog | null} */
    this.dialog = null;
    /** The image that is compared; set while the dialog is open. @type {Item | null} */
    this.item = null;
    /** Ends with the image that is compared. */
    this.visit = new AbortController();
    /** @type {Shown | null} */
    this.shown = null;
    /** @type {Blob | null} */
    this.before = null;
    /** Variants that become results, by image: the gateway shares their bytes until then. @type {Map<string, string>} */
    this.used = new Map();
    this.settings = settingsOfQuery({}, gallery.capabilities);
    /** What is said about the pictures, in every view but that of the difference. */
    this.note = '';
    gallery.items.listen({ onChanged: (item) => this.onItem(item), onRemoved: (item) => this.onRemoved(item) });
    addEventListener('pagehide', () => this.variants.close());
  }

  words() {
    return this.gallery.words();
  }

  /** @param {Item} item */
  async open(item) {
    await loadStyles('dialog', 'compare');
    if (this.dialog) return;
    this.dialog = new CompareDialog(this.words(), this.gallery.capabilities, {
      onChange: (change) => this.change(change), onUse: () => this.use(), onDownload: () => this.download(),
      onStep: (step) => this.step(step), onMode: (mode) => this.onMode(mode), onClose: () => this.close(),
    });
    this.dialog.open();
    this.show(item);
  }

  /** The images that can be compared, in the order of the list. */
  all() {
    return this.gallery.items.all().filter(canCompare);
  }

  /** @param {1 | -1} step */
  step(step) {
    const all = this.all();
    const next = all[all.findIndex(({ id }) => id === this.item?.id) + step];
    if (next) this.show(next);
  }

  /** @param {Item} item */
  async show(item) {
    const { dialog } = this;
    if (!dialog || !item.result) return;
    this.leave();
    const { signal } = this.visit = new AbortController();
    this.item = item;
    this.showPlace();
    this.settings = settingsOfQuery(item.options, this.gallery.capabilities);
    dialog.panel.showSizes(sizeChoices(this.settings, item.source), storedOrigin(item, this.gallery.capabilities) !== null);
    dialog.stage.clear(item.result);
    this.present({ result: item.result, options: item.options, blob: null, seconds: item.duration_s, is_kept: true });
    dialog.panel.showProgress(null, (item.result.frames ?? 1) > 1 ? this.words().t('compare.animation') : '');
    this.note = this.words().t('compare.loading');
    dialog.showNote(this.note);
    await this.load(item, signal);
  }

  showPlace() {
    const all = this.all();
    this.dialog?.showName(this.item?.name ?? '', all.findIndex(({ id }) => id === this.item?.id), all.length);
  }

  /** Both pictures, and the place where they differ most. @param {Item} item @param {AbortSignal} signal */
  async load(item, signal) {
    const { api } = this.gallery;
    const after = api.fetchBlob(item.result?.url ?? '');
    const showBefore = await this.loadBefore(item, signal);
    const blob = await after;
    const showAfter = await this.dialog?.stage.load('after', blob);
    if (signal.aborted || !this.dialog) return;
    showBefore?.();
    // A variant may have come first.
    if (this.shown?.is_kept) {
      showAfter?.();
      this.shown.blob = blob;
    }
    this.note = this.noteOf(Boolean(showBefore), Boolean(showAfter));
    this.dialog.showNote(this.note);
    const place = showBefore && blob ? this.measure().then((difference) => difference && !signal.aborted && this.dialog?.stage.zoom.suggest(difference.place, 1)) : null;
    await Promise.race([place, new Promise((resolve) => setTimeout(resolve, PLACE_MS))]);
    if (!signal.aborted) this.dialog?.stage.reveal(Boolean(showBefore));
  }

  /** The file, the gateway's copy, or a preview of it. @param {Item} item @param {AbortSignal} signal @returns {Promise<(() => void) | null>} */
  async loadBefore(item, signal) {
    const { api, uploader, capabilities } = this.gallery;
    const stage = this.dialog?.stage;
    this.before = uploader.files.get(item.id) ?? await api.fetchBlob(sourcePath(item.job ?? ''));
    const show = await stage?.load('before', this.before) ?? null;
    const origin = storedOrigin(item, capabilities);
    if (show || !origin || signal.aborted) return show;
    this.dialog?.showNote(this.words().t('compare.preview_coming'));
    const preview = await this.previews.get(item, { origin, key: newId() }, { onProgress: (job) => this.showPreviewProgress(job), onBusy: () => {} }, signal);
    if (signal.aborted || !(preview instanceof Blob)) return null;
    this.before = preview;
    stage?.showTags('compare.preview', '');
    return await stage?.load('before', preview) ?? null;
  }

  /** @param {boolean} has_before @param {boolean} has_after */
  noteOf(has_before, has_after) {
    const words = this.words();
    if (!has_after) return words.t('compare.failed');
    if (!has_before) return words.t('compare.no_original');
    return this.hasPreview() ? words.t('compare.preview_note') : '';
  }

  hasPreview() {
    return this.item !== null && this.previews.blobs.has(this.item.id);
  }

  /** @param {import('./ui/compare-stage.js').Mode} mode */
  onMode(mode) {
    if (mode === 'difference') this.measure();
    else this.dialog?.showNote(this.note);
  }

  /** How much the two differ that are shown. */
  async measure() {
    const [before, after, { signal }] = [this.before, this.shown?.blob, this.visit];
    if (!before || !after) return null;
    const difference = await measureDifference(before, after, signal);
    if (signal.aborted || after !== this.shown?.blob) return null;
    this.dialog?.stage.showDifference(difference);
    if (this.dialog?.stage.mode === 'difference') this.dialog.showNote(this.differenceText(difference));
    return difference;
  }

  /** @param {import('./core/difference.js').Difference | null} difference */
  differenceText(difference) {
    if (!difference) return '';
    return difference.is_same ? this.words().t('compare.same') : this.words().t('compare.amplified', { n: difference.amplification });
  }

  /** @param {import('./core/compare-settings.js').Change} change */
  change(change) {
    const { item, gallery: { capabilities } } = this;
    const origin = item && storedOrigin(item, capabilities);
    if (!item || !origin) return;
    this.settings = changeSettings(this.settings, change, capabilities);
    this.dialog?.panel.showSettings(this.settings, null);
    this.dialog?.panel.showProgress(0, this.words().t('compare.encoding'));
    this.variants.want({ origin, options: queryOf(this.settings, capabilities), key: newId() });
  }

  /** @param {Job} job */
  showProgress(job) {
    if (job.state === 'queued' || job.state === 'running') this.dialog?.panel.showProgress(job.progress, this.words().t('compare.encoding_percent', { percent: this.words().percent(job.progress) }));
  }

  /** @param {Job} job */
  showPreviewProgress(job) {
    this.dialog?.showNote(this.words().t('compare.preview_percent', { percent: this.words().percent(job.progress) }));
  }

  /** @param {Variant} variant */
  async showVariant({ job, blob, options }) {
    const { dialog, visit: { signal } } = this;
    const show = await dialog?.stage.load('after', blob);
    if (!dialog || signal.aborted || !job.result || this.variants.kept?.job.id !== job.id) return;
    show?.();
    dialog.stage.zoom.setSize(job.result);
    dialog.panel.showProgress(null, '');
    this.present({ result: job.result, options, blob, seconds: secondsOf(job), is_kept: isSameQuery(options, this.item?.options ?? {}) });
    if (dialog.stage.mode === 'difference') this.measure();
  }

  /** @param {Shown} shown */
  present(shown) {
    const { item, dialog } = this;
    this.shown = shown;
    dialog?.panel.showSettings(this.settings, shown.result);
    dialog?.panel.showOutcome({ ...shown, settings: this.settings, source: item?.source ?? null, source_bytes: item?.source?.bytes ?? item?.bytes ?? 0 });
    dialog?.stage.showTags(this.hasPreview() ? 'compare.preview' : 'compare.before', this.words().bytes(shown.result.bytes));
  }

  /** @param {Problem} problem */
  showProblem(problem) {
    this.dialog?.panel.showProgress(null, this.sentence(problem));
  }

  /** @param {Problem} problem */
  sentence(problem) {
    const { item, gallery: { capabilities } } = this;
    return item ? sentenceOf(problem, item, capabilities, this.words()) : '';
  }

  /** The variant that is shown becomes the image's result, through a job of the image's own: the gateway shares the bytes. */
  use() {
    const { item, shown, gallery: { items, capabilities } } = this;
    const variant = this.variants.release();
    if (!item || !shown || !variant) return;
    this.used.set(item.id, variant.job.id);
    this.dialog?.panel.showProgress(0, this.words().t('compare.using'));
    items.dispatch(item.id, { type: 'restarted', key: newId(), options: shown.options, origin: storedOrigin(item, capabilities) });
  }

  /** @param {Item} item */
  onItem(item) {
    if (isFinal(item.state)) this.finishUse(item);
    if (this.item && item.id !== this.item.id) this.showPlace();
  }

  /** @param {Item} item that has ended */
  finishUse(item) {
    const job = this.used.get(item.id);
    if (!job) return;
    this.used.delete(item.id);
    this.gallery.api.deleteJob(job);
    if (item.id !== this.item?.id || !this.shown) return;
    if (!item.result) return this.showProblem(item.problem ?? { code: 'gone' });
    this.item = item;
    this.dialog?.panel.showProgress(null, this.words().t('compare.used_note'));
    this.present({ ...this.shown, is_kept: true });
  }

  /** @param {Item} item */
  onRemoved(item) {
    this.previews.forget(item.id);
    if (item.id === this.item?.id) this.dialog?.dialog.close();
  }

  download() {
    if (this.item && this.shown?.blob) saveBlob(this.shown.blob, resultName(this.item.name, this.shown.result.format));
  }

  /** The image that was compared: nothing of it stays. */
  leave() {
    this.visit.abort();
    this.variants.close();
    this.item = this.shown = this.before = null;
  }

  close() {
    this.leave();
    this.dialog = null;
  }
}

/** @param {Item} item */
const canCompare = (item) => item.state === 'done' && item.result !== null && item.job !== null;

/** Of the encode. @param {Job} job */
function secondsOf({ started_at, finished_at }) {
  return started_at && finished_at ? Math.max(0, (Date.parse(finished_at) - Date.parse(started_at)) / 1000) : null;
}
