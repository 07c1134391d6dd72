// @ts-check
/**
 * A stored source encoded once more, apart from the images on the page: with other options, without a second upload. An abort ends the encode
 * and deletes its job at once. Requests: one that makes the job, one that waits for the result and brings it.
 */
import { canRetry, delayBefore } from '../core/retry-policy.js';

/** @typedef {import('../core/types.js').Job} Job */
/** @typedef {import('../core/types.js').Problem} Problem */
/** @typedef {{api: import('./api.js').Api, updates: import('./job-updates.js').JobUpdates}} Net */
/** @typedef {{origin: string, options: Record<string, string>, key: string}} Wish `origin`: the job whose source it is; `key`: Idempotency-Key */
/** @typedef {{onProgress: (job: Job) => void, onBusy: (problem: Problem, wait_s: number) => void}} Handlers `onBusy`: it is tried again by itself */
/** @typedef {{job: Job, blob: Blob}} Encoded the job is there until it is deleted */

/** A gateway that asks for a longer pause is not waited for: somebody is looking. */
const LONGEST_PAUSE_S = 60;

/**
 * @param {Net} net
 * @param {Wish} wish
 * @param {Handlers} handlers
 * @param {AbortSignal} signal
 * @returns {Promise<Encoded | Problem | null>} null when it was aborted
 */
export async function encodeAgain(net, wish, handlers, signal) {
  const answer = await createJob(net.api, wish, handlers, signal);
  if (!answer.ok) return signal.aborted ? null : answer.problem;
  const { id, seq } = answer.body;
  const discard = () => net.api.deleteJob(id);
  if (signal.aborted) {
    discard();
    return null;
  }
  signal.addEventListener('abort', discard, { once: true });
  net.updates.follow(id, seq, handlers.onProgress);
  const outcome = await readOutcome(net.api, id, signal);
  net.updates.unfollow(id);
  signal.removeEventListener('abort', discard);
  if (signal.aborted) return null;
  if ('code' in outcome) discard();
  return outcome;
}

/** @param {Encoded | Problem} outcome @returns {outcome is Problem} */
export const isProblem = (outcome) => 'code' in outcome;

/** @param {import('./api.js').Api} api @param {Wish} wish @param {Handlers} handlers @param {AbortSignal} signal */
async function createJob(api, { origin, options, key }, handlers, signal) {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await api.retry(origin, options, key);
    if (answer.ok || signal.aborted || !canRetry(answer.status, attempt) || (answer.retry_after_s ?? 0) > LONGEST_PAUSE_S) return answer;
    const delay_ms = delayBefore(attempt, answer.retry_after_s, Math.random());
    handlers.onBusy(answer.problem, delay_ms / 1000);
    await pause(delay_ms, signal);
    if (signal.aborted) return answer;
  }
}

/** The Job, with its end, comes beside the bytes. @param {import('./api.js').Api} api @param {string} id @param {AbortSignal} signal @returns {Promise<Encoded | Problem>} */
async function readOutcome(api, id, signal) {
  for (let attempt = 0; ; attempt += 1) {
    /** @type {Promise<import('./api.js').Answer<Job>> | undefined} */
    let asked;
    const answer = await api.awaitResult(id, () => { asked = api.job(id); }, signal);
    if (signal.aborted) return { code: 'gone' };
    const is_not_ready = !answer.ok && answer.problem.code === 'not_ready';
    if (!answer.ok && (is_not_ready || canRetry(answer.status, attempt))) {
      if (!is_not_ready) await pause(delayBefore(attempt, answer.retry_after_s, Math.random()), signal);
      continue;
    }
    const job = await (asked ?? api.job(id));
    if (answer.ok && job.ok) return { job: job.body, blob: answer.body };
    return job.ok ? job.body.error ?? { code: 'gone' } : job.problem;
  }
}

/** Ends at an abort too. @param {number} delay_ms @param {AbortSignal} signal @returns {Promise<void>} */
export function pause(delay_ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delay_ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
