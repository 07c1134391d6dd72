// @ts-check
/**
 * Updates of jobs, by the best way that works. First Socket.IO. Where it cannot connect, Server-Sent Events for as many jobs as the browser
 * has connections to spare, and polling for the others. Where no stream comes through either, polling alone. A job is followed until
 * `unfollow`, through any number of reconnections. An update may arrive by two ways: its reader drops what is not newer (`seq`).
 */

import { ROOT } from '../core/root.js';
import { followEvents } from './event-stream.js';

/** @typedef {import('../core/types.js').Job} Job */
/** @typedef {import('../core/types.js').Problem} Problem */
/** @typedef {import('../core/types.js').Mode} Mode */
/**
 * @typedef {object} Handlers
 * @property {(job: Job) => void} onJob
 * @property {(id: string) => void} onGone the gateway no longer has the job
 * @property {(mode: Mode) => void} onMode
 * @typedef {{seq: number, updated_ms: number, poll_after_ms: number, onJob: (job: Job) => void}} Followed `poll_after_ms`: the silence after
 *   which it is polled
 */

const SOCKET_MODULE = '../../vendor/socket.io-client-4.8.4/socket.io.esm.min.js';
/** While a socket or a stream is open, a job that is silent for so long is polled once. */
const SILENCE_MS = 5000;
const POLL_FIRST_MS = 1000;
const POLL_LONGEST_MS = 5000;
const CHECK_EVERY_MS = 500;
const PARALLEL_POLLS = 4;
const FAILURES_BEFORE_STREAMING = 2;
const FAILURES_BEFORE_POLLING = 2;
/** Of the six connections to a host over HTTP/1.1, uploads take three. */
const PARALLEL_STREAMS = 2;
const ACK_TIMEOUT_MS = 8000;
/** A proxy may accept a WebSocket and pass nothing on. The client's own timeout is 20 s, and it tries twice: too long without updates. */
const CONNECT_TIMEOUT_MS = 8000;

/** @param {string} key API key, or empty @returns {Promise<any>} a Socket.IO socket */
export async function connectTo(key) {
  const { io } = await import(SOCKET_MODULE);
  return io({
    path: `${ROOT}/socket.io`, transports: ['websocket', 'polling'], tryAllTransports: true, reconnectionDelay: 500, reconnectionDelayMax: 5000,
    timeout: CONNECT_TIMEOUT_MS, auth: key ? { key } : {},
  });
}

export class JobUpdates {
  /**
   * @param {import('./api.js').Api} api
   * @param {Handlers} handlers
   */
  constructor(api, handlers) {
    this.api = api;
    this.handlers = handlers;
    /** @type {Map<string, Followed>} */
    this.followed = new Map();
    /** The socket; null until its module is loaded. @type {any} */
    this.socket = null;
    this.connect_failures = 0;
    this.polls = 0;
    /** @type {Map<string, AbortController>} */
    this.streams = new Map();
    this.stream_failures = 0;
    /** @type {Mode} */
    this.mode = 'connecting';
  }

  /** @param {string} key API key, or empty */
  async connect(key) {
    setInterval(() => this.pollSilent(), CHECK_EVERY_MS);
    this.socket = await connectTo(key);
    this.socket.on('connect', () => this.onConnect());
    this.socket.on('disconnect', () => this.setMode('connecting'));
    this.socket.on('connect_error', () => this.onConnectError());
    this.socket.on('job', (/** @type {Job} */ job) => this.receive(job));
  }

  /** @param {string} id @param {number} seq the last one seen, or -1 @param {(job: Job) => void} [onJob] of a job that is no image's on the page */
  follow(id, seq, onJob = this.handlers.onJob) {
    if (this.followed.has(id)) return;
    this.followed.set(id, { seq, updated_ms: Date.now(), poll_after_ms: POLL_FIRST_MS, onJob });
    if (this.mode === 'live') this.subscribe(id);
    this.openStreams();
  }

  /** @param {string} id */
  unfollow(id) {
    const was_followed = this.followed.delete(id);
    this.streams.get(id)?.abort();
    if (was_followed && this.mode === 'live') this.socket.emit('unsubscribe', { job: id });
  }

  onConnect() {
    this.connect_failures = this.stream_failures = 0;
    this.api.onAnswer(true);
    this.setMode('live');
    this.streams.forEach((stream) => stream.abort());
    for (const id of this.followed.keys()) this.subscribe(id);
  }

  onConnectError() {
    this.connect_failures += 1;
    if (this.connect_failures < FAILURES_BEFORE_STREAMING) return;
    this.setMode(this.stream_failures < FAILURES_BEFORE_POLLING ? 'streaming' : 'polling');
    this.openStreams();
  }

  /** In streaming mode only. */
  openStreams() {
    for (const id of this.followed.keys()) {
      if (this.mode !== 'streaming' || this.streams.size >= PARALLEL_STREAMS) return;
      if (!this.streams.has(id)) this.stream(id);
    }
  }

  /** @param {string} id */
  async stream(id) {
    const abort = new AbortController();
    this.streams.set(id, abort);
    const has_worked = await followEvents(this.api, id, this.followed.get(id)?.seq ?? -1, (job) => this.receive(job), abort.signal);
    this.streams.delete(id);
    if (has_worked) this.stream_failures = 0;
    else if (!abort.signal.aborted) this.stream_failures += 1;
    if (this.stream_failures >= FAILURES_BEFORE_POLLING && this.mode === 'streaming') this.setMode('polling');
  }

  /** @param {Mode} mode */
  setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.handlers.onMode(mode);
  }

  /** @param {string} id */
  async subscribe(id) {
    const { seq } = this.followed.get(id) ?? { seq: -1 };
    try {
      const answer = await this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck('subscribe', seq >= 0 ? { job: id, after: seq } : { job: id });
      if (answer?.ok) this.receive(answer.job);
      else this.onRefused(id, answer?.error);
    } catch {
      this.poll(id);
    }
  }

  /** @param {string} id @param {Problem | undefined} problem */
  onRefused(id, problem) {
    if (problem?.code === 'not_found' || problem?.code === 'gone') this.handlers.onGone(id);
    else this.poll(id);
  }

  /** @param {Job | undefined} job */
  receive(job) {
    const followed = job && this.followed.get(job.id);
    if (!followed) return;
    this.api.onAnswer(true);
    const is_newer = job.seq > followed.seq;
    followed.seq = Math.max(followed.seq, job.seq);
    followed.updated_ms = Date.now();
    followed.poll_after_ms = is_newer ? POLL_FIRST_MS : Math.min(POLL_LONGEST_MS, followed.poll_after_ms * 1.5);
    followed.onJob(job);
  }

  /** Poll every job that has been silent for too long. */
  pollSilent() {
    this.openStreams();
    const now = Date.now();
    for (const [id, followed] of this.followed) {
      const longest_silence_ms = this.mode === 'live' || this.streams.has(id) ? SILENCE_MS : followed.poll_after_ms;
      if (this.polls >= PARALLEL_POLLS) return;
      if (now - followed.updated_ms >= longest_silence_ms) this.poll(id);
    }
  }

  /** @param {string} id */
  async poll(id) {
    const followed = this.followed.get(id);
    if (!followed) return;
    followed.updated_ms = Date.now();
    this.polls += 1;
    const answer = await this.api.job(id);
    this.polls -= 1;
    if (answer.ok) this.receive(answer.body);
    else if (answer.status === 404 || answer.status === 410) this.handlers.onGone(id);
  }
}
