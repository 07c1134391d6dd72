// @ts-check
/**
 * What somebody tries out of one image while comparing: trials. Law: at most one is being encoded, which the next wish cancels; at most one that is encoded is
 * kept, the last; and `close` leaves none.
 */
import { encodeAgain, isProblem, pause } from './encode-again.js';

/** @typedef {import('./encode-again.js').Wish} Wish */
/** @typedef {import('./encode-again.js').Encoded} Encoded */
/** @typedef {import('../core/types.js').Problem} Problem */
/** @typedef {Encoded & {options: Record<string, string>}} Trial */
/**
 * @typedef {object} Own
 * @property {(trial: Trial) => void} onTrial
 * @property {(problem: Problem) => void} onProblem
 * @typedef {import('./encode-again.js').Handlers & Own} Handlers
 */

/** A slider that moves again within this time was not meant to be where it was. Several frames: a hand that drags moves in each. */
const SETTLE_MS = 60;

export class Trials {
  /** @param {import('./encode-again.js').Net} net @param {Handlers} handlers */
  constructor(net, handlers) {
    this.net = net;
    this.handlers = handlers;
    /** Of the wish under way. @type {AbortController | null} */
    this.running = null;
    /** @type {Trial | null} */
    this.kept = null;
  }

  /** Cancels the wish before at once, even while this one waits for the hand to rest. @param {Wish} wish */
  async want(wish) {
    this.cancel();
    const { signal } = this.running = new AbortController();
    await pause(SETTLE_MS, signal);
    if (signal.aborted) return;
    const outcome = await encodeAgain(this.net, wish, this.handlers, signal);
    if (outcome === null) return;
    this.running = null;
    if (isProblem(outcome)) return this.handlers.onProblem(outcome);
    this.discardKept();
    this.kept = { ...outcome, options: wish.options };
    this.handlers.onTrial(this.kept);
  }

  cancel() {
    this.running?.abort();
    this.running = null;
  }

  /** The last trial, which is the caller's to delete from now on. */
  release() {
    const trial = this.kept;
    this.kept = null;
    return trial;
  }

  discardKept() {
    const trial = this.release();
    if (trial) this.net.api.deleteJob(trial.job.id);
  }

  close() {
    this.cancel();
    this.discardKept();
  }
}
