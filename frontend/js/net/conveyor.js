// @ts-check
/**
 * Moves files: a few uploads at once, another try when one breaks, then the job is followed until its result answers. Knows the items only
 * through `read`, changes them only through `tell`, and keeps nothing of its own but what cannot be data: requests and files.
 */
import { isFinal, isFollowing, needsServer } from '../core/states.js';
import { delayBefore, mayRetry, nextUploads } from '../core/turns.js';
import { sendFile } from './upload.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/types.js').Job} Job */
/** @typedef {import('../core/item.js').Fact} Fact */
/** @typedef {import('./api.js').Answer<Job>} JobAnswer */
/**
 * @typedef {object} World
 * @property {import('./api.js').Api} api
 * @property {import('./live.js').Live} live
 * @property {() => Iterable<Item>} list
 * @property {(id: string) => Item | undefined} read
 * @property {(id: string, fact: Fact) => void} tell
 */

const CONFIRM_DELAYS_MS = [100, 250, 500, 1000, 2000, 4000, 8000];
const STOP_AGAIN_MS = 1000;

export class Conveyor {
  /** @param {World} world */
  constructor(world) {
    this.world = world;
    /** @type {Map<string, Blob>} */
    this.files = new Map();
    /** @type {Map<string, () => void>} */
    this.aborts = new Map();
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
    this.tell(item.id, { type: 'upload_started' });
    const answer = await this.ask(item);
    this.aborts.delete(item.id);
    if (answer === null) return;
    if (answer.ok) this.accept(item.id, answer.body);
    else this.fail(item.id, answer);
  }

  /** From the source that the gateway still has, from an address, or from a file. @param {Item} item @returns {Promise<JobAnswer | null>} */
  ask(item) {
    if (!item.origin && !item.url) return this.send(item, this.files.get(item.id));
    this.tell(item.id, { type: 'body_sent' });
    return item.origin ? this.world.api.retry(item.origin, item.options, item.key) : this.world.api.fetchUrl(item.url ?? '', item.options, item.key);
  }

  /** @param {Item} item @param {Blob | undefined} file @returns {Promise<JobAnswer | null>} */
  async send(item, file) {
    if (!file || !await isReadable(file)) return unreadable();
    if (this.world.read(item.id)?.state !== 'uploading') return null;
    const headers = { ...this.world.api.headers(), 'Idempotency-Key': item.key };
    const upload = sendFile(file, { ...item.options, filename: item.name }, headers, {
      onSent: (sent_bytes) => this.world.tell(item.id, { type: 'bytes_sent', sent_bytes, at_ms: Date.now() }),
      onBody: () => this.tell(item.id, { type: 'body_sent' }),
    });
    this.aborts.set(item.id, upload.abort);
    return upload.answer;
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
    if (isFinal(item.state) || item.state === 'confirming') this.world.live.forget(job.id);
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
      this.aborts.get(id)?.();
    }
  }

  /** @param {string} id @param {string} job */
  async stopJob(id, job) {
    const answer = await this.world.api.cancel(job);
    if (answer.ok) return this.see(id, answer.body);
    if (answer.status === 409) return this.world.live.poll(job);
    if (answer.status === 404 || answer.status === 410) return this.tell(id, { type: 'vanished' });
    setTimeout(() => this.world.read(id)?.state === 'cancelling' && this.stopJob(id, job), STOP_AGAIN_MS);
  }

  /** Let go of everything that belongs to an item. @param {string} id */
  unload(id) {
    this.aborts.get(id)?.();
    clearTimeout(this.timers.get(id));
    for (const kept of [this.files, this.aborts, this.timers]) kept.delete(id);
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
