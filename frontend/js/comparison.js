// @ts-check
/**
 * The comparison of an image before and after, and of trials that are encoded while somebody looks. Loaded when it is opened first. Nothing
 * that was tried out stays at the gateway, but for the trial that somebody uses: that becomes the image's result.
 */
import { ComparePictures } from './compare-pictures.js';
import { changeSettings, isSameQuery, sizeChoices } from './core/compare-settings.js';
import { storedOrigin } from './core/convert-again.js';
import { queryOf, settingsOfQuery } from './core/settings-query.js';
import { resultOutcome } from './core/outcome.js';
import { sentenceOf } from './core/problem.js';
import { isFinal } from './core/states.js';
import { asksForVariants, filesOf } from './core/variants.js';
import { newId } from './new-id.js';
import { Previews } from './net/previews.js';
import { Trials } from './net/trials.js';
import { CompareDialog } from './ui/compare.js';
import { saveBlob } from './ui/save.js';
import { loadStyles } from './ui/styles.js';

/** @typedef {import('./core/types.js').Item} Item */
/** @typedef {import('./core/types.js').Job} Job */
/** @typedef {import('./core/types.js').Result} Result */
/** @typedef {import('./core/types.js').Problem} Problem */
/** @typedef {import('./net/trials.js').Trial} Trial */
/** @typedef {{result: Result, options: Record<string, string>, seconds: number | null, is_kept: boolean}} Shown `is_kept`: it is the image's result */

export class Comparison {
  /** @param {import('./gallery.js').Gallery} gallery */
  constructor(gallery) {
    this.gallery = gallery;
    const net = { api: gallery.api, updates: gallery.updates };
    this.previews = new Previews(net);
    this.trials = new Trials(net, {
      onProgress: (job) => this.showProgress(job),
      onBusy: (problem, wait_s) => this.showBusy(problem, wait_s),
      onTrial: (trial) => this.showTrial(trial),
      onProblem: (problem) => this.showProblem(problem),
    });
    /** @type {CompareDialog | null} */
    this.dialog = null;
    /** @type {ComparePictures | null} */
    this.pictures = null;
    /** The image that is compared; set while the dialog is open. @type {Item | null} */
    this.item = null;
    /** @type {Shown | null} */
    this.shown = null;
    /** Trials that become results, by image: the gateway shares their bytes until then. @type {Map<string, string>} */
    this.used = new Map();
    /** The image whose trial is being taken over. */
    this.using = '';
    this.settings = settingsOfQuery({}, gallery.capabilities);
    gallery.items.listen({ onChanged: (item, before) => item.state !== before.state && this.onState(item), onRemoved: (item) => this.onRemoved(item) });
    addEventListener('pagehide', () => this.discardAll());
  }

  // ── opened, and led from image to image ─────────────────────────────────────────────────────────────────────────────────────────

  /** @param {Item} item */
  async open(item) {
    await loadStyles('dialog', 'compare');
    if (this.dialog) return;
    const dialog = new CompareDialog(this.gallery.words(), this.gallery.capabilities, {
      onChange: (change) => this.change(change), onFile: (index) => this.showFile(index), onUse: () => this.use(), onDownload: () => this.download(),
      onStep: (step) => this.step(step), onMode: (mode) => this.pictures?.onMode(mode), onClose: () => this.close(),
    });
    this.dialog = dialog;
    this.pictures = new ComparePictures(this.gallery, dialog, this.previews);
    dialog.open();
    this.show(item);
  }

  /** The images that can be compared, as the list shows them. @returns {Item[]} */
  all() {
    const { arrangement, items } = this.gallery;
    return arrangement.arrangedIds().flatMap((id) => items.get(id) ?? []).filter(canCompare);
  }

  /** @param {1 | -1} step */
  step(step) {
    const all = this.all();
    const next = all[all.findIndex(({ id }) => id === this.item?.id) + step];
    if (next) this.show(next);
  }

  /** @param {Item} item */
  show(item) {
    const { dialog, gallery: { capabilities } } = this;
    if (!dialog || !item.result) return;
    this.trials.close();
    this.item = item;
    this.showPlace();
    this.settings = settingsOfQuery(item.options, capabilities);
    dialog.panel.showSizes(sizeChoices(this.settings, item.source), storedOrigin(item, capabilities) !== null);
    const files = asksForVariants(item) ? filesOf(item) : [];
    dialog.panel.showFiles(files.map(({ file }) => file.name), files.findIndex(({ result }) => result === item.result));
    this.present({ result: item.result, options: item.options, seconds: item.duration_s, is_kept: true });
    this.pictures?.show(item);
    dialog.panel.showEnd((item.result.frames ?? 1) > 1 ? this.gallery.words().t('compare.animation') : '');
  }

  /** Another of the files of an image that has several. @param {number} index */
  showFile(index) {
    const { item } = this;
    if (!item) return;
    const { result } = filesOf(item)[index];
    this.present({ result, options: item.options, seconds: item.duration_s, is_kept: true });
    this.pictures?.show({ ...item, result });
  }

  showPlace() {
    const all = this.all();
    this.dialog?.showName(this.item?.name ?? '', all.findIndex(({ id }) => id === this.item?.id), all.length);
  }

  /** @param {Shown} shown */
  present(shown) {
    const { item, dialog, settings } = this;
    this.shown = shown;
    dialog?.panel.showSettings(settings, shown.result);
    dialog?.panel.showOutcome({ ...shown, settings, source: item?.source ?? null, source_bytes: item?.source?.bytes ?? item?.bytes ?? 0 });
    dialog?.stage.showResult(this.gallery.words().bytes(shown.result.bytes));
  }

  // ── encoded again while one looks ───────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {import('./core/compare-settings.js').Change} change */
  change(change) {
    const { item, dialog, gallery: { capabilities, words } } = this;
    const origin = item && storedOrigin(item, capabilities);
    if (!dialog || !origin) return;
    this.settings = changeSettings(this.settings, change, capabilities);
    dialog.panel.showSettings(this.settings, null);
    dialog.panel.showProgress(0, words().t('compare.encoding'));
    this.trials.want({ origin, options: queryOf(this.settings, capabilities), key: newId() });
  }

  /** @param {Job} job */
  showProgress({ state, progress, progress_is }) {
    const words = this.gallery.words();
    const is_under_way = state === 'queued' || state === 'running';
    const text = progress_is === 'estimated' ? 'compare.encoding_about' : 'compare.encoding_percent';
    if (is_under_way) this.dialog?.panel.showProgress(progress, words.t(text, { percent: words.percent(progress) }));
  }

  /** @param {Problem} problem @param {number} wait_s */
  showBusy(problem, wait_s) {
    this.dialog?.panel.showProgress(0, this.gallery.words().t('compare.busy', { problem: this.sentence(problem), n: Math.ceil(wait_s) }));
  }

  /** @param {Trial} trial */
  async showTrial({ job: { id, result, ...times }, blob, options }) {
    if (!result) return;
    const show = await this.pictures?.prepare(blob, result);
    if (!this.dialog || !this.item || this.trials.kept?.job.id !== id) return;
    show?.();
    this.dialog.panel.showEnd('', this.gallery.words().t('compare.encoded', { size: this.gallery.words().bytes(result.bytes) }));
    this.present({ result, options, seconds: secondsOf(times), is_kept: isSameQuery(options, this.item.options) });
  }

  /** @param {Problem} problem */
  showProblem(problem) {
    this.dialog?.panel.showEnd(this.sentence(problem));
    this.dialog?.panel.enable({ use: this.shown?.is_kept === false, download: true });
  }

  /** @param {Problem} problem */
  sentence(problem) {
    const { item, gallery: { capabilities, words } } = this;
    return item ? sentenceOf(problem, item, capabilities, words()) : '';
  }

  // ── what comes of it ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The trial that is shown becomes the image's result, through a job of the image's own: the gateway shares the bytes. */
  use() {
    const { item, shown, gallery: { items, capabilities, words } } = this;
    if (!item || !shown || shown.is_kept) return;
    const trial = this.trials.release();
    if (trial) this.used.set(item.id, trial.job.id);
    this.using = item.id;
    this.dialog?.panel.showProgress(0, words().t('compare.using'));
    items.dispatch(item.id, { type: 'restarted', key: newId(), options: shown.options, origin: storedOrigin(item, capabilities) });
  }

  /** @param {Item} item whose state has changed */
  onState(item) {
    if (isFinal(item.state)) this.discardUsed(item.id);
    if (isFinal(item.state) && item.id === this.using) this.finishUse(item);
    if (this.item && item.id !== this.item.id) this.showPlace();
  }

  /** @param {string} id */
  discardUsed(id) {
    const job = this.used.get(id);
    if (job) this.gallery.api.deleteJob(job);
    this.used.delete(id);
  }

  /** The settings may have been moved again meanwhile. @param {Item} item that has ended */
  finishUse(item) {
    this.using = '';
    if (item.id !== this.item?.id || !this.shown) return;
    if (!item.result) return this.showProblem(item.problem ?? { code: 'gone' });
    this.item = item;
    if (this.trials.running) return;
    this.dialog?.panel.showEnd(this.gallery.words().t('compare.used_note'));
    this.present({ ...this.shown, is_kept: isSameQuery(this.shown.options, item.options) });
  }

  download() {
    const { item, shown, pictures } = this;
    if (item && shown && pictures?.after) saveBlob(pictures.after, nameOf(item, shown.result));
  }

  /** @param {Item} item */
  onRemoved(item) {
    this.previews.forget(item.id);
    if (item.id === this.item?.id) this.dialog?.dialog.close();
  }

  close() {
    this.trials.close();
    this.pictures?.leave();
    this.item = this.shown = this.pictures = this.dialog = null;
  }

  /** The page is being left; the reader may come back to it. */
  discardAll() {
    if (this.trials.running) this.dialog?.panel.showEnd('');
    this.trials.close();
    this.pictures?.visit.abort();
    this.used.forEach((job) => this.gallery.api.deleteJob(job));
  }
}

/** @param {Item} item @param {Result} result */
const nameOf = (item, result) => filesOf(item).find((each) => each.result === result)?.file.name ?? resultOutcome({ ...item, result }).name;

/** @param {Item} item */
const canCompare = (item) => item.state === 'done' && item.result !== null && item.job !== null;

/** Of the encode. @param {Pick<Job, 'started_at' | 'finished_at'>} job */
function secondsOf({ started_at, finished_at }) {
  return started_at && finished_at ? Math.max(0, (Date.parse(finished_at) - Date.parse(started_at)) / 1000) : null;
}
