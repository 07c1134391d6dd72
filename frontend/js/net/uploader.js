// @ts-check
/**
 * Uploads images: a few at once, and another attempt when one fails. The gateway answers with a job, which goes to the tracker. The uploader
 * reads and changes items through `items` only; what it holds itself cannot be data: files, requests and timers.
 */
import { isCancelledByGateway } from '../core/states.js';
import { canRetry, delayBefore } from '../core/retry-policy.js';
import { nextUploads } from '../core/upload-slots.js';
import { sendResumable } from './resumable-upload.js';
import { sendFile } from './upload.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/types.js').Job} Job */
/** @typedef {import('./api.js').Answer<Job>} JobAnswer */
/** @typedef {{abort: () => void, is_over: boolean}} Attempt the answer of an attempt that is over is dropped */
/**
 * @typedef {object} Context
 * @property {import('./api.js').Api} api
 * @property {import('./job-tracker.js').JobTracker} tracker
 * @property {import('../core/types.js').ItemStore} items
 * @property {(item: Item) => Promise<string | null>} findOrigin the finished job of a file with the very same bytes, or null
 * @property {boolean} can_resume whether the gateway takes resumable uploads
 */

/** Above this, an upload is resumable: it goes in chunks that outlive a broken connection. */
const RESUMABLE_BYTES = 2 * 1024 * 1024;

export class Uploader {
  /** @param {Context} context */
  constructor({ api, tracker, items, findOrigin, can_resume }) {
    this.api = api;
    this.tracker = tracker;
    this.items = items;
    this.findOrigin = findOrigin;
    this.can_resume = can_resume;
    /** By item. @type {Map<string, Blob>} */
    this.files = new Map();
    /** Attempts under way, by item. @type {Map<string, Attempt>} */
    this.attempts = new Map();
    /** Waits for the next attempt, by item. @type {Map<string, ReturnType<typeof setTimeout>>} */
    this.timers = new Map();
  }

  /** @param {string} id @param {Blob} file */
  addFile(id, file) {
    this.files.set(id, file);
  }

  /** Start what has a free slot. To be called after every change. */
  startNext() {
    for (const item of nextUploads(this.items.all())) this.start(item);
  }

  /** Each fact calls `startNext` again, which may have started this item already. @param {Item} item */
  async start(item) {
    if (this.items.get(item.id)?.state !== 'waiting') return;
    /** @type {Attempt} */
    const attempt = { abort: () => {}, is_over: false };
    this.abort(item.id);
    this.attempts.set(item.id, attempt);
    this.items.dispatch(item.id, { type: 'upload_started' });
    const answer = await this.createJob(item, attempt);
    if (attempt.is_over || answer === null) return;
    this.attempts.delete(item.id);
    if (answer.ok) this.tracker.accept(item.id, answer.body);
    else this.fail(item.id, answer);
  }

  /** From a source that the gateway has, from an address, or from a file. @param {Item} item @param {Attempt} attempt @returns {Promise<JobAnswer | null>} */
  createJob(item, attempt) {
    if (!item.origin && !item.url) return this.sendFile(item, this.files.get(item.id), attempt);
    this.items.dispatch(item.id, { type: 'body_sent' });
    return item.origin ? this.api.retry(item.origin, item.options, item.key) : this.api.createFromUrl(item.url ?? '', item.options, item.key);
  }

  /** @param {Item} item @param {Blob | undefined} file @param {Attempt} attempt @returns {Promise<JobAnswer | null>} null when it was aborted */
  async sendFile(item, file, attempt) {
    if (!file || !await isReadable(file)) return { ok: false, status: 400, problem: { code: 'file_unreadable' }, retry_after_s: null };
    const origin = item.upload ? null : await this.findOrigin(item);
    if (attempt.is_over) return null;
    if (origin) return this.retryOrigin(item, origin);
    const upload = this.startUpload(item, file, attempt);
    attempt.abort = upload.abort;
    return upload.answer;
  }

  /** @param {Item} item @param {string} origin @returns {Promise<JobAnswer>} */
  retryOrigin(item, origin) {
    this.items.dispatch(item.id, { type: 'origin_found', origin });
    this.items.dispatch(item.id, { type: 'body_sent' });
    return this.api.retry(origin, item.options, item.key);
  }

  /** @param {Item} item @param {Blob} file @param {Attempt} attempt @returns {import('./upload.js').Upload} */
  startUpload({ id, name, key, upload, options }, file, attempt) {
    const dispatch = (/** @type {import('../core/item.js').Fact} */ fact) => { if (!attempt.is_over) this.items.dispatch(id, fact); };
    const handlers = {
      onSent: (/** @type {number} */ sent_bytes) => dispatch({ type: 'bytes_sent', sent_bytes }),
      onBody: () => dispatch({ type: 'body_sent' }),
    };
    if (!this.can_resume || file.size <= RESUMABLE_BYTES && !upload) {
      return sendFile(file, { ...options, filename: name }, { ...this.api.headers(), 'Idempotency-Key': key }, handlers);
    }
    return sendResumable(this.api, { file, name, upload, options }, {
      ...handlers,
      onOpened: (opened) => dispatch({ type: 'upload_opened', upload: opened }),
      onKept: (kept_bytes) => dispatch({ type: 'bytes_kept', kept_bytes }),
      onJob: (job) => { if (!attempt.is_over) this.tracker.follow(id, job); },
    });
  }

  /**
   * @param {string} id
   * @param {Exclude<JobAnswer, {ok: true}>} answer
   */
  fail(id, { status, problem, retry_after_s }) {
    const item = this.items.get(id);
    if (!item) return;
    if (item.origin && item.has_file && (status === 404 || status === 410)) return this.items.dispatch(id, { type: 'origin_lost' });
    if (status === 0 && !navigator.onLine) return this.items.dispatch(id, { type: 'network_lost' });
    if (!canRetry(status, item.attempt)) return this.items.dispatch(id, { type: 'refused', problem });
    const delay_ms = delayBefore(item.attempt, retry_after_s, Math.random());
    this.items.dispatch(id, { type: 'upload_broke', problem, retry_at_ms: Date.now() + delay_ms });
    this.timers.set(id, setTimeout(() => this.resume(id), delay_ms));
  }

  /** @param {string} id */
  resume(id) {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    this.items.dispatch(id, { type: 'resumed' });
  }

  /** The network is back. */
  resumeAll() {
    for (const item of [...this.items.all()]) {
      if (item.state === 'offline' || item.state === 'retrying') this.resume(item.id);
    }
  }

  /** A job of this page has left the queue, so there may be room before the time that the gateway estimated: try the first that found it full. */
  resumeAfterFullQueue() {
    const next = [...this.items.all()].find((item) => item.state === 'retrying' && item.problem?.code === 'queue_full');
    if (next) this.resume(next.id);
  }

  /** Send nothing more until `resume`. The gateway keeps what it has. @param {string} id */
  pause(id) {
    clearTimeout(this.timers.get(id));
    this.items.dispatch(id, { type: 'paused' });
    this.abort(id);
  }

  /** @param {string} id */
  cancel(id) {
    const item = this.items.get(id);
    if (!item) return;
    clearTimeout(this.timers.get(id));
    if (isCancelledByGateway(item.state)) {
      this.items.dispatch(id, { type: 'cancel_requested' });
      if (item.job) this.tracker.cancel(id, item.job);
    } else {
      this.items.dispatch(id, { type: 'cancelled' });
      this.abort(id);
      if (item.upload) this.api.deleteUpload(item.upload);
    }
  }

  /** @param {string} id */
  abort(id) {
    const attempt = this.attempts.get(id);
    if (!attempt) return;
    attempt.is_over = true;
    attempt.abort();
    this.attempts.delete(id);
  }

  /** Free everything that belongs to an item. @param {string} id */
  forget(id) {
    this.abort(id);
    clearTimeout(this.timers.get(id));
    for (const kept of [this.files, this.timers]) kept.delete(id);
  }
}

/** Whether the file can still be read: it may have been moved or changed since it was chosen. A browser reports that as a lost connection. @param {Blob} file */
async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
