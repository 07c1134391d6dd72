// @ts-check
/**
 * The estimate of the chosen picture: the one that was added last, or whose settings are open. One is made at a time, a moment after the last
 * movement; a new one aborts the one before. Where the picture was converted with the very same settings, the figure is the result's own.
 */
import { HEAD_BYTES, isAnimated } from './core/animation.js';
import { canEstimate, isOfEstimatedFormat } from './core/estimate.js';
import { sourcePath } from './core/paths.js';
import { isSending } from './core/states.js';
import { PARALLEL_UPLOADS } from './core/upload-slots.js';
import { asksForVariants } from './core/variants.js';
import { estimatePicture } from './estimate-picture.js';
import { EstimateRequests } from './net/estimate-requests.js';
import { LARGEST_FILE_BYTES, Samples } from './ui/samples.js';

/** @typedef {import('./core/types.js').Item} Item */
/** @typedef {import('./ui/estimate-line.js').Shown} Shown */

/** A slider that is still moving is not asked for. */
const DEBOUNCE_MS = 120;
/** Uploads have the connections first. */
const RETRY_MS = 1000;

/** @param {Record<string, string>} one @param {Record<string, string>} other */
const isSameQuery = (one, other) => [one, other].every((query) => Object.keys(query).every((name) => one[name] === other[name]));

export class Estimates {
  /**
   * @param {import('./gallery.js').Gallery} gallery
   * @param {(shown: Shown) => void} show
   */
  constructor(gallery, show) {
    this.gallery = gallery;
    this.show = show;
    this.samples = new Samples();
    this.requests = new EstimateRequests(gallery.api);
    /** Of the picture that is shown. @type {{id: string, after_bytes?: number}} */
    this.last = { id: '' };
    this.abort = new AbortController();
  }

  /** The picture that was added last, among those that can be had. */
  newest() {
    return this.gallery.items.all().findLast((item) => item.has_file || item.job !== null);
  }

  /** Ends what is under way. */
  stop() {
    this.abort.abort();
  }

  /** @param {Record<string, string>} query @param {Item | undefined} [item] */
  update(query, item = this.newest()) {
    this.stop();
    if (!item) return this.show({ state: 'none' });
    if (this.last.id !== item.id) this.last = { id: item.id };
    if (item.state === 'done' && item.result && !asksForVariants(item) && isSameQuery(item.options, query)) {
      this.last = { id: item.id, after_bytes: item.result.bytes };
      return this.report(item, 'exact');
    }
    if (!canEstimate(query)) return this.report(item, isOfEstimatedFormat(query) ? 'other_settings' : 'other_format', query.format);
    this.report(item, 'working');
    const { signal } = this.abort = new AbortController();
    this.later(DEBOUNCE_MS, signal, () => this.run(item, query, signal));
  }

  /** @param {number} ms @param {AbortSignal} signal @param {() => void} act */
  later(ms, signal, act) {
    const timer = setTimeout(act, ms);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  /** @param {Item} item @param {Record<string, string>} query @param {AbortSignal} signal */
  async run(item, query, signal) {
    const sending = this.gallery.items.all().filter(({ state }) => isSending(state)).length;
    if (sending >= PARALLEL_UPLOADS) return this.later(RETRY_MS, signal, () => this.run(item, query, signal));
    const file = await this.fileOf(item);
    const result = file && await this.resultOf(item, file, query, signal);
    if (signal.aborted) return;
    if (typeof result === 'string') return this.report(item, result);
    if (typeof result === 'number') this.last = { id: item.id, after_bytes: result };
    else this.last = { id: item.id };
    this.report(item, typeof result === 'number' ? 'known' : 'unknown');
  }

  /** @param {Item} item @param {Blob} file @param {Record<string, string>} query @param {AbortSignal} signal @returns {Promise<number | null | 'animated' | 'undecodable'>} */
  async resultOf(item, file, query, signal) {
    if (isAnimated(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()))) return 'animated';
    if (file.size > LARGEST_FILE_BYTES) return null;
    return estimatePicture({ id: item.id, file, query, samples: this.samples, requests: this.requests, signal });
  }

  /** The reader's file, else the gateway's copy. @param {Item} item */
  async fileOf(item) {
    const { uploader, api } = this.gallery;
    return uploader.files.get(item.id) ?? (item.job ? await api.fetchBlob(sourcePath(item.job)) : null);
  }

  /** @param {Item} item @param {Shown['state']} state @param {string} [format] */
  report({ id, name, bytes, source }, state, format) {
    this.show({ state, format, name, picture: this.gallery.thumbnails.pictures.get(id), before_bytes: bytes || source?.bytes || 0, after_bytes: this.last.after_bytes });
  }
}
