// @ts-check
/**
 * Moves files: a few uploads at once, another try when one breaks, then the job is followed until its result answers. Knows the items only
 * through `read`, changes them only through `tell`, and keeps nothing of its own but what cannot be data: requests and files.
 */
import { isFinal, isFollowing, needsServer } from '../core/states.js';
import { RESUMABLE_BYTES, delayBefore, mayRetry, nextUploads } from '../core/retry-policy.js';
import { sendResumable } from './resumable-upload.js';
import { sendFile } from './upload.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/types.js').Job} Job */
/** @typedef {import('../core/item.js').Fact} Fact */
/** @typedef {import('./api.js').Answer<Job>} JobAnswer */
/** @typedef {{stop: () => void, is_over: boolean}} Attempt one try to bring an item to the gateway; when over, its answer is nobody's */
/**
 * @typedef {object} World
 * @property {import('./api.js').Api} api
 * @property {import('./job-updates.js').JobUpdates} live
 * @property {() => Iterable<Item>} list
 * @property {(id: string) => Item | undefined} read
 * @property {(id: string, fact: Fact) => void} tell
 * @property {(item: Item) => Promise<string | null>} origin the job that has the very same bytes, if there is one
 * @property {(id: string, job: string) => void} own what is heard of this job is the item's
 * @property {(id: string, problem: import('../core/types.js').Problem) => void} explain what went wrong beside the item's own way
 * @property {() => boolean} can_resume whether the gateway takes uploads in pieces
 */

const CONFIRM_DELAYS_MS = [100, 250, 500, 1000, 2000, 4000, 8000];
const STOP_AGAIN_MS = 1000;

export class Uploader {
  /** @param {World} world */
  constructor(world) {
    this.world = world;
    /** @type {Map<string, Blob>} */
    this.files = new Map();
    /** The attempt of each item that is under way. @type {Map<string, Attempt>} */
    this.attempts = new Map();
    /** @type {Map<string, ReturnType<typeof setTimeout>>} */
    this.timers = new Map();
  }

  /** @param {string} id @param {Blob} file */
  load(id, file) {
    this.files.set(id, file);
  }

  /** Start what may start now. Call it after every change. */
  turn() {
    for (const item of nextUploads(this.world.list())) this.start(item);
  }

  /** Telling begins another turn, which may have started the next item already. @param {Item} item */
  async start(item) {
    if (this.world.read(item.id)?.state !== 'waiting') return;
    /** @type {Attempt} */
    const attempt = { stop: () => {}, is_over: false };
    this.attempts.set(item.id, attempt);
    this.tell(item.id, { type: 'upload_started' });
    const answer = await this.ask(item, attempt);
    if (attempt.is_over || answer === null) return;
    this.attempts.delete(item.id);
    if (answer.ok) this.accept(item.id, answer.body);
    else this.fail(item.id, answer);
  }

  /** From the source that the gateway still has, from an address, or from a file. @param {Item} item @param {Attempt} attempt @returns {Promise<JobAnswer | null>} */
  ask(item, attempt) {
    if (!item.origin && !item.url) return this.send(item, this.files.get(item.id), attempt);
    this.tell(item.id, { type: 'body_sent' });
    return item.origin ? this.world.api.retry(item.origin, item.options, item.key) : this.world.api.fetchUrl(item.url ?? '', item.options, item.key);
  }

  /** @param {Item} item @param {Blob | undefined} file @param {Attempt} attempt @returns {Promise<JobAnswer | null>} */
  async send(item, file, attempt) {
    if (!file || !await isReadable(file)) return unreadable();
    const origin = item.upload ? null : await this.world.origin(item);
    if (attempt.is_over) return null;
    if (origin) return this.reuse(item, origin);
    const upload = this.open(item, file);
    attempt.stop = upload.abort;
    return upload.answer;
  }

  /** The gateway has these bytes already. @param {Item} item @param {string} origin @returns {Promise<JobAnswer>} */
  reuse(item, origin) {
    this.world.tell(item.id, { type: 'known', origin, at_ms: Date.now() });
    this.tell(item.id, { type: 'body_sent' });
    return this.world.api.retry(origin, item.options, item.key);
  }

  /** @param {Item} item @param {Blob} file @returns {import('./upload.js').Upload} */
  open(item, file) {
    const tell = this.world.tell;
    const onSent = (/** @type {number} */ sent_bytes) => tell(item.id, { type: 'bytes_sent', sent_bytes, at_ms: Date.now() });
    const onBody = () => this.tell(item.id, { type: 'body_sent' });
    if (!this.world.can_resume() || file.size <= RESUMABLE_BYTES && !item.upload) {
      return sendFile(file, { ...item.options, filename: item.name }, { ...this.world.api.headers(), 'Idempotency-Key': item.key }, { onSent, onBody });
    }
    return sendResumable(this.world.api, { file, name: item.name, upload: item.upload, options: item.options }, {
      onSent, onBody,
      onOpened: (upload) => tell(item.id, { type: 'upload_opened', upload, at_ms: Date.now() }),
      onJob: (job) => {
        this.world.own(item.id, job);
        this.world.live.follow(job, -1);
      },
      onKept: (kept_bytes) => tell(item.id, { type: 'bytes_kept', kept_bytes, at_ms: Date.now() }),
    });
  }

  /** @param {string} id @param {Job} job */
  accept(id, job) {
    const was_cancelling = this.world.read(id)?.state === 'cancelling';
    this.see(id, job);
    if (was_cancelling) this.stopJob(id, job.id);
    const item = this.world.read(id);
    if (item && isFollowing(item.state)) this.world.live.follow(job.id, item.seq);
  }

  /**
   * @param {string} id
   * @param {Exclude<JobAnswer, {ok: true}>} answer
   */
  fail(id, { status, problem, retry_after_s }) {
    const item = this.world.read(id);
    if (!item) return;
    if (item.origin && item.has_file && (status === 404 || status === 410)) return this.tell(id, { type: 'origin_lost' });
    if (status === 0 && !navigator.onLine) return this.tell(id, { type: 'lost_network' });
    if (!mayRetry(status, item.attempt)) return this.world.tell(id, { type: 'refused', problem, at_ms: Date.now() });
    const delay_ms = delayBefore(item.attempt, retry_after_s, Math.random());
    this.world.tell(id, { type: 'broke', problem, retry_at_ms: Date.now() + delay_ms, at_ms: Date.now() });
    this.timers.set(id, setTimeout(() => this.resume(id), delay_ms));
  }

  /** @param {string} id */
  resume(id) {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    this.tell(id, { type: 'resumed' });
  }

  /** What the gateway has stays there; nothing more is sent until `resume`. @param {string} id */
  pause(id) {
    clearTimeout(this.timers.get(id));
    this.tell(id, { type: 'paused' });
    this.abort(id);
  }

  /** @param {string} id */
  abort(id) {
    const attempt = this.attempts.get(id);
    if (!attempt) return;
    attempt.is_over = true;
    attempt.stop();
    this.attempts.delete(id);
  }

  /** The network is back: whatever waited for it goes on. */
  resumeAll() {
    for (const item of [...this.world.list()]) {
      if (item.state === 'offline' || item.state === 'retrying') this.resume(item.id);
    }
  }

  /** News of a job, from wherever. @param {string} id @param {Job} job */
  see(id, job) {
    const before = this.world.read(id)?.state;
    this.world.tell(id, { type: 'job_seen', job, at_ms: Date.now() });
    const item = this.world.read(id);
    if (!item || item.state === before) return;
    if (item.state === 'confirming') this.confirm(id, job.id);
    if (item.state === 'failed' && !item.problem?.language) this.explain(id, job.id);
    if (!isFinal(item.state) && item.state !== 'confirming') return;
    this.world.live.forget(job.id);
    this.moveUp();
  }

  /** One of ours has left the queue. How long a full one takes is the gateway's guess, and at most a minute: the next of ours need not wait for it. */
  moveUp() {
    const next = [...this.world.list()].find((item) => item.state === 'retrying' && item.problem?.code === 'queue_full');
    if (next) this.resume(next.id);
  }

  /** Done is said only when the result answers. @param {string} id @param {string} job */
  async confirm(id, job) {
    for (const delay_ms of CONFIRM_DELAYS_MS) {
      const answer = await this.world.api.result(job);
      if (answer.ok) return this.tell(id, { type: 'result_answered' });
      if (answer.status === 404 || answer.status === 410) break;
      await new Promise((resolve) => setTimeout(resolve, delay_ms));
      if (this.world.read(id)?.state !== 'confirming') return;
    }
    this.tell(id, { type: 'vanished' });
  }

  /** The reason in the page's language: events do not know their reader. @param {string} id @param {string} job */
  async explain(id, job) {
    const { language } = this.world.api.identity();
    const answer = await this.world.api.job(job);
    if (answer.ok && answer.body.error) this.world.tell(id, { type: 'explained', problem: { ...answer.body.error, language }, at_ms: Date.now() });
  }

  /** @param {string} id */
  cancel(id) {
    const item = this.world.read(id);
    if (!item) return;
    clearTimeout(this.timers.get(id));
    if (needsServer(item.state)) {
      this.tell(id, { type: 'cancel_asked' });
      if (item.job) this.stopJob(id, item.job);
    } else {
      this.tell(id, { type: 'cancelled' });
      this.abort(id);
      if (item.upload) this.world.api.endUpload(item.upload);
    }
  }

  /** @param {string} id @param {string} job */
  async stopJob(id, job) {
    const answer = await this.world.api.cancel(job);
    if (answer.ok) return this.see(id, answer.body);
    if (answer.status === 409) {
      this.world.explain(id, answer.problem);
      return this.world.live.poll(job);
    }
    if (answer.status === 404 || answer.status === 410) return this.tell(id, { type: 'vanished' });
    setTimeout(() => this.world.read(id)?.state === 'cancelling' && this.stopJob(id, job), STOP_AGAIN_MS);
  }

  /** Why a result that was said to be there cannot be had, if so. @param {string} id */
  async check(id) {
    const job = this.world.read(id)?.job;
    if (!job) return;
    const answer = await this.world.api.result(job);
    if (answer.ok) return;
    if (answer.status === 404 || answer.status === 410) this.tell(id, { type: 'vanished' });
    else this.world.explain(id, answer.problem);
  }

  /** Let go of everything that belongs to an item. @param {string} id */
  unload(id) {
    this.abort(id);
    clearTimeout(this.timers.get(id));
    for (const kept of [this.files, this.timers]) kept.delete(id);
  }

  /** @param {string} id @param {{type: Extract<Fact, {type: string}>['type']}} fact */
  tell(id, fact) {
    this.world.tell(id, /** @type {Fact} */ ({ ...fact, at_ms: Date.now() }));
  }
}

/** @returns {JobAnswer} */
function unreadable() {
  return { ok: false, status: 400, problem: { code: 'file_unreadable' }, retry_after_s: null };
}

/** A file that was moved or changed since it was chosen cannot be read; the browser would report it as a lost connection. @param {Blob} file */
async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
