// @ts-check
/**
 * News of jobs: over Socket.IO while it works; else as Server-Sent Events, for as many jobs as a browser has connections to spare, and by asking
 * for the others; where no stream comes through either, by asking alone. What is followed is followed until `forget`, through any number
 * of reconnections; the reader drops what it has seen (`seq`), so an event that arrives by both ways does no harm.
 */

import { followEvents } from './event-stream.js';

/** @typedef {import('../core/types.js').Job} Job */
/** @typedef {import('../core/types.js').Problem} Problem */
/** @typedef {import('../core/types.js').Mode} Mode */
/**
 * @typedef {object} Hear
 * @property {(job: Job) => void} onJob
 * @property {(id: string) => void} onGone the server no longer has the job
 * @property {(mode: Mode) => void} onMode
 * @typedef {{seq: number, heard_ms: number, delay_ms: number}} Followed
 */

const SOCKET_MODULE = '../../vendor/socket.io-client-4.8.4/socket.io.esm.min.js';
const SILENCE_MS = 5000;
const POLL_FIRST_MS = 1000;
const POLL_LONGEST_MS = 5000;
const LOOK_MS = 500;
const PARALLEL_POLLS = 4;
const FAILURES_BEFORE_STREAMING = 2;
const FAILURES_BEFORE_POLLING = 2;
/** Of the six connections to a host over HTTP/1.1, uploads take three. */
const PARALLEL_STREAMS = 2;
const ACK_TIMEOUT_MS = 8000;
/** A proxy may take a WebSocket and let nothing through: the client's own 20 s, twice, are too long to be without news. */
const CONNECT_TIMEOUT_MS = 8000;

/** @param {string} key API key, or empty @returns {Promise<any>} a Socket.IO socket */
export async function connectTo(key) {
  const { io } = await import(SOCKET_MODULE);
  return io({
    path: '/socket.io', transports: ['websocket', 'polling'], tryAllTransports: true, reconnectionDelay: 500, reconnectionDelayMax: 5000,
    timeout: CONNECT_TIMEOUT_MS, auth: key ? { key } : {},
  });
}

export class JobUpdates {
  /**
   * @param {import('./api.js').Api} api
   * @param {Hear} hear
   */
  constructor(api, hear) {
    this.api = api;
    this.hear = hear;
    /** @type {Map<string, Followed>} */
    this.followed = new Map();
    /** @type {any} the socket, or null until the module is here */
    this.socket = null;
    this.failures = 0;
    this.polls = 0;
    /** @type {Map<string, AbortController>} */
    this.streams = new Map();
    this.broken_streams = 0;
    /** @type {Mode} */
    this.mode = 'connecting';
  }

  /** @param {string} key API key, or empty */
  async connect(key) {
    setInterval(() => this.look(), LOOK_MS);
    this.socket = await connectTo(key);
    this.socket.on('connect', () => this.onConnect());
    this.socket.on('disconnect', () => this.setMode('connecting'));
    this.socket.on('connect_error', () => this.onConnectError());
    this.socket.on('job', (/** @type {Job} */ job) => this.take(job));
  }

  /** @param {string} id @param {number} seq the last one seen */
  follow(id, seq) {
    if (this.followed.has(id)) return;
    this.followed.set(id, { seq, heard_ms: Date.now(), delay_ms: POLL_FIRST_MS });
    if (this.mode === 'live') this.subscribe(id);
    this.openStreams();
  }

  /** @param {string} id */
  forget(id) {
    const was_followed = this.followed.delete(id);
    this.streams.get(id)?.abort();
    if (was_followed && this.mode === 'live') this.socket.emit('unsubscribe', { job: id });
  }

  onConnect() {
    this.failures = this.broken_streams = 0;
    this.setMode('live');
    this.streams.forEach((stream) => stream.abort());
    for (const id of this.followed.keys()) this.subscribe(id);
  }

  onConnectError() {
    this.failures += 1;
    if (this.failures < FAILURES_BEFORE_STREAMING) return;
    this.setMode(this.broken_streams < FAILURES_BEFORE_POLLING ? 'streaming' : 'polling');
    this.openStreams();
  }

  /** As many as may be, while that is the way. */
  openStreams() {
    for (const id of this.followed.keys()) {
      if (this.mode !== 'streaming' || this.streams.size >= PARALLEL_STREAMS) return;
      if (!this.streams.has(id)) this.stream(id);
    }
  }

  /** @param {string} id */
  async stream(id) {
    const stop = new AbortController();
    this.streams.set(id, stop);
    const has_worked = await followEvents(this.api, id, this.followed.get(id)?.seq ?? -1, (job) => this.take(job), stop.signal);
    this.streams.delete(id);
    if (has_worked) this.broken_streams = 0;
    else if (!stop.signal.aborted) this.broken_streams += 1;
    if (this.broken_streams >= FAILURES_BEFORE_POLLING && this.mode === 'streaming') this.setMode('polling');
  }

  /** @param {Mode} mode */
  setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.hear.onMode(mode);
  }

  /** @param {string} id */
  async subscribe(id) {
    const { seq } = this.followed.get(id) ?? { seq: -1 };
    try {
      const answer = await this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck('subscribe', seq >= 0 ? { job: id, after: seq } : { job: id });
      if (answer?.ok) this.take(answer.job);
      else this.refuse(id, answer?.error);
    } catch {
      this.poll(id);
    }
  }

  /** @param {string} id @param {Problem | undefined} problem */
  refuse(id, problem) {
    if (problem?.code === 'not_found' || problem?.code === 'gone') this.hear.onGone(id);
    else this.poll(id);
  }

  /** @param {Job | undefined} job */
  take(job) {
    const followed = job && this.followed.get(job.id);
    if (!followed) return;
    const is_news = job.seq > followed.seq;
    followed.seq = Math.max(followed.seq, job.seq);
    followed.heard_ms = Date.now();
    followed.delay_ms = is_news ? POLL_FIRST_MS : Math.min(POLL_LONGEST_MS, followed.delay_ms * 1.5);
    this.hear.onJob(job);
  }

  /** Ask about every job that has been silent for too long. */
  look() {
    this.openStreams();
    const now = Date.now();
    for (const [id, followed] of this.followed) {
      const patience = this.mode === 'live' || this.streams.has(id) ? SILENCE_MS : followed.delay_ms;
      if (this.polls >= PARALLEL_POLLS) return;
      if (now - followed.heard_ms >= patience) this.poll(id);
    }
  }

  /** @param {string} id */
  async poll(id) {
    const followed = this.followed.get(id);
    if (!followed) return;
    followed.heard_ms = Date.now();
    this.polls += 1;
    const answer = await this.api.job(id);
    this.polls -= 1;
    if (answer.ok) this.take(answer.body);
    else if (answer.status === 404 || answer.status === 410) this.hear.onGone(id);
  }
}
