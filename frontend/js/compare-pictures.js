// @ts-check
/**
 * The two pictures of a comparison: fetched, decoded, and measured where they differ most. What the browser cannot show is seen by a preview. A result
 * does not wait for that of its original.
 */
import { storedOrigin } from './core/convert-again.js';
import { boundOf } from './net/previews.js';
import { newId } from './new-id.js';
import { sourcePath } from './core/paths.js';
import { measureDifference } from './ui/difference.js';

/** @typedef {import('./core/types.js').Item} Item */
/** @typedef {import('./core/types.js').Job} Job */
/** @typedef {import('./core/difference.js').Difference} Difference */
/** @typedef {import('./core/zoom.js').Size} Size */
/** @typedef {{show: () => void, seen: Blob}} Picture `seen`: the file or its preview */

/** So long the first view waits for the place of the largest difference; then it is moved there when it is known. */
const PLACE_MS = 600;

export class ComparePictures {
  /**
   * @param {import('./gallery.js').Gallery} gallery
   * @param {import('./ui/compare.js').CompareDialog} dialog
   * @param {import('./net/previews.js').Previews} previews
   */
  constructor(gallery, dialog, previews) {
    this.gallery = gallery;
    this.dialog = dialog;
    this.stage = dialog.stage;
    this.previews = previews;
    /** Ends with the image whose pictures these are. */
    this.visit = new AbortController();
    /** @type {Blob | null} */
    this.before = null;
    /** The file of the result or of a trial. @type {Blob | null} */
    this.after = null;
    /** What is seen of it: itself or its preview. @type {Blob | null} */
    this.after_seen = null;
    /** What is said of a preview; empty where the original itself is seen. */
    this.preview_note = '';
    /** As `preview_note`, of the result. */
    this.result_note = '';
    /** What is said of the pictures, in every view but that of the difference. */
    this.note = '';
  }

  /** @param {Item} item */
  async show(item) {
    this.leave();
    const { signal } = this.visit = new AbortController();
    this.stage.clear(item.result ?? { width: 1, height: 1 });
    this.setNote('compare.loading');
    const [has_after, showBefore] = await Promise.all([this.loadAfter(item, signal), this.loadBefore(item)]);
    if (signal.aborted) return;
    if (showBefore) await this.reveal(showBefore, has_after, signal);
    else await this.loadPreview(item, has_after, signal);
  }

  /** @param {Item} item @param {AbortSignal} signal @returns {Promise<boolean>} whether it can be shown */
  async loadAfter(item, signal) {
    const blob = await this.gallery.api.fetchBlob(item.result?.url ?? '');
    const picture = blob && await this.pictureOf(blob, item.result ?? { width: 1, height: 1 }, signal);
    const is_first = !signal.aborted && this.after === null; // a trial may have come before
    if (blob && picture && is_first) this.showAfter(blob, picture);
    return Boolean(picture);
  }

  /** The file itself where the browser can show it, else a lossless preview. @param {Blob} blob of a result @param {Size} size @param {AbortSignal} signal @returns {Promise<Picture | null>} */
  async pictureOf(blob, size, signal) {
    const show = await this.stage.load('after', blob);
    if (show || signal.aborted) return show && { show, seen: blob };
    this.setNote('compare.result_preview_coming');
    const seen = await this.previews.ofResult(blob, size, signal);
    const showPreview = await this.stage.load('after', seen);
    return seen && showPreview && { show: showPreview, seen };
  }

  /** @param {Blob} blob @param {Picture} picture */
  showAfter(blob, { show, seen }) {
    show();
    this.after = blob;
    this.after_seen = seen;
    this.result_note = seen === blob ? '' : 'compare.result_preview_note';
  }

  /** The file, or the gateway's copy. @param {Item} item @returns {Promise<(() => void) | null>} null where the browser cannot show it */
  async loadBefore(item) {
    this.before = this.gallery.uploader.files.get(item.id) ?? await this.gallery.api.fetchBlob(sourcePath(item.job ?? ''));
    return this.stage.load('before', this.before);
  }

  /** @param {Item} item @param {boolean} has_after @param {AbortSignal} signal */
  async loadPreview(item, has_after, signal) {
    const origin = storedOrigin(item, this.gallery.capabilities);
    this.stage.reveal(false);
    if (!this.before || !origin) return this.setNote(this.before ? 'compare.no_original' : 'compare.original_gone');
    this.setNote('compare.preview_coming');
    const preview = await this.previews.get(item, { origin, key: newId() }, { onProgress: (job) => this.showProgress(job), onBusy: () => {} }, signal);
    const show = preview instanceof Blob ? await this.stage.load('before', preview) : null;
    if (signal.aborted) return;
    if (!show || !(preview instanceof Blob)) return this.setNote('compare.no_original');
    this.preview_note = Object.keys(boundOf(item.source)).length > 0 ? 'compare.preview_smaller' : 'compare.preview_note';
    this.before = preview;
    await this.reveal(show, has_after, signal);
  }

  /** @param {Job} job that makes the preview */
  showProgress(job) {
    const words = this.gallery.words();
    this.note = words.t('compare.preview_percent', { percent: words.percent(job.progress) });
    this.dialog.showNote(this.note, false);
  }

  /** @param {() => void} showBefore @param {boolean} has_after @param {AbortSignal} signal */
  async reveal(showBefore, has_after, signal) {
    showBefore();
    this.stage.showOriginal(this.preview_note !== '');
    this.setNote(...(has_after ? [this.preview_note, this.result_note] : ['compare.failed']));
    const place = this.measure().then((difference) => difference && !difference.is_same && !signal.aborted && this.stage.zoom.suggest(difference.place, 1));
    await Promise.race([place, new Promise((resolve) => setTimeout(resolve, PLACE_MS))]);
    if (!signal.aborted) this.stage.reveal(true);
  }

  /** Another result of the same image. @param {Blob} blob @param {Size} size @returns {Promise<(() => void) | null>} shows it; null where the browser cannot */
  async prepare(blob, size) {
    const picture = await this.pictureOf(blob, size, this.visit.signal);
    if (!picture) this.setNote('compare.failed');
    return picture && (() => {
      const had_note = this.result_note !== '';
      this.showAfter(blob, picture);
      if (had_note || this.result_note) this.setNote(this.preview_note, this.result_note);
      this.stage.zoom.setSize(size);
      if (this.stage.mode === 'difference') this.measure();
    });
  }

  /** @param {import('./ui/compare-stage.js').Mode} mode */
  onMode(mode) {
    if (mode === 'difference') this.measure();
    else this.dialog.showNote(this.note);
  }

  /** How much the two differ that are shown. @returns {Promise<Difference | null>} */
  async measure() {
    const { before, after_seen, visit: { signal } } = this;
    if (!before || !after_seen) return null;
    const difference = await measureDifference(before, after_seen, signal);
    if (signal.aborted || after_seen !== this.after_seen) return null;
    this.stage.showDifference(difference);
    if (this.stage.mode === 'difference') this.dialog.showNote(this.differenceText(difference));
    return difference;
  }

  /** @param {Difference | null} difference */
  differenceText(difference) {
    if (!difference) return '';
    const words = this.gallery.words();
    return difference.is_same ? words.t('compare.same') : words.t('compare.amplified', { n: difference.amplification });
  }

  /** @param {...string} keys an empty one says nothing */
  setNote(...keys) {
    this.note = keys.filter(Boolean).map((key) => this.gallery.words().t(key)).join(' ');
    this.dialog.showNote(this.note);
  }

  leave() {
    this.visit.abort();
    this.before = this.after = this.after_seen = null;
    this.preview_note = this.result_note = '';
  }
}
