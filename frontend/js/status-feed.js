// @ts-check
/**
 * The operator's figures as they come over Socket.IO, once a second, with what is new of the last half hour. It reconnects by itself; where the
 * gateway refuses the key, and only then, it asks for another.
 */
import { connectTo } from './net/job-updates.js';

/** @typedef {import('./core/types.js').Problem} Problem */
/** @typedef {Record<string, any>} Snapshot the gateway's figures now (`backend/web/status/live_figures.py`); with a whole `history` it is the first */
/**
 * @typedef {object} Handlers
 * @property {(snapshot: Snapshot, is_first: boolean) => void} onFigures
 * @property {(is_live: boolean) => void} onConnection
 * @property {(is_client: boolean) => void} onKeyRefused `is_client`: the key is good, but not an operator's
 */

const ACK_TIMEOUT_MS = 8000;
const AGAIN_MS = 2000;

export class StatusFeed {
  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    /** @type {any} */
    this.socket = null;
  }

  /** @param {string} key API key, or empty */
  async connect(key) {
    this.socket = await connectTo(key);
    this.socket.on('connect', () => this.subscribe());
    this.socket.on('disconnect', () => this.handlers.onConnection(false));
    this.socket.on('connect_error', (/** @type {{data?: Problem}} */ error) => this.onRefused(error.data));
    this.socket.on('status', (/** @type {Snapshot} */ snapshot) => this.handlers.onFigures(snapshot, false));
  }

  async subscribe() {
    const { socket } = this;
    try {
      const reply = await socket.timeout(ACK_TIMEOUT_MS).emitWithAck('subscribe', { status: true });
      if (!reply.ok) return this.onRefused(reply.error);
      this.handlers.onConnection(true);
      this.handlers.onFigures(reply.status, true);
    } catch {
      if (socket.connected) this.subscribe();
    }
  }

  /** A connection that only failed has no problem: the client tries again by itself. @param {Problem | undefined} problem */
  onRefused(problem) {
    this.handlers.onConnection(false);
    if (problem?.code === 'unauthorized') {
      this.socket.disconnect();
      this.handlers.onKeyRefused(problem.status === 403);
    } else if (problem) {
      setTimeout(() => this.socket.connected ? this.subscribe() : this.socket.connect(), AGAIN_MS);
    }
  }
}
