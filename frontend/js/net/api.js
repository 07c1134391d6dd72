// @ts-check
/** The gateway's REST API. Every call resolves to an `Answer`, also when the network fails: nothing here throws. */
import { problemOfStatus } from '../core/problem-of-status.js';
import { resultPath } from '../core/paths.js';
import { readRetryAfter } from '../core/retry-policy.js';
import { ROOT } from '../core/root.js';

/** @typedef {import('../core/types.js').Problem} Problem */
/** @typedef {import('../core/types.js').Job} Job */
/**
 * @template T
 * @typedef {{ok: true, status: number, body: T} | {ok: false, status: number, problem: Problem, retry_after_s: number | null}} Answer
 */
/** @typedef {{language: string, key: string}} Identity the reader's language and API key, sent with every request */

const ANSWER_TIMEOUT_MS = 30_000;
/** The longest that the gateway grants. */
const LONGEST_WAIT_S = 30;
/** Of the answers that a gateway gives at once. */
const QUICK_TIMEOUT_MS = 8000;
const LIFE_TIMEOUT_MS = 3000;
/** What a proxy says for a gateway that does not answer. */
const PROXY_STATUSES = new Set([0, 502, 503, 504]);

export class Api {
  /** @param {() => Identity} identity */
  constructor(identity) {
    this.identity = identity;
    /** Called after each request. @type {(is_answered: boolean) => void} */
    this.onAnswer = () => {};
    /** Names of the gateway's options, once it has said them. @type {string[]} */
    this.offered = [];
  }

  /** @returns {Record<string, string>} */
  headers() {
    const { language, key } = this.identity();
    return { 'Accept-Language': language, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  }

  /** @returns {Promise<Answer<import('../core/types.js').Capabilities>>} */
  async capabilities() {
    const answer = await this.request('GET', `${ROOT}/api/capabilities`);
    if (answer.ok) this.offered = Object.keys(answer.body.options);
    return answer;
  }

  /** Whether the gateway answers. @returns {Promise<Answer<null>>} */
  checkLife() {
    return this.request('GET', `${ROOT}/api/health/live`, {}, LIFE_TIMEOUT_MS);
  }

  /** @param {string} id @returns {Promise<Answer<Job>>} */
  job(id) {
    return this.request('GET', `${ROOT}/api/jobs/${encodeURIComponent(id)}`, {}, QUICK_TIMEOUT_MS);
  }

  /** @param {string} id @returns {Promise<Answer<Job>>} */
  cancel(id) {
    return this.request('POST', `${ROOT}/api/jobs/${encodeURIComponent(id)}/cancel`);
  }

  /** `keepalive`: sent even while the page is being closed. @param {string} id @returns {Promise<Answer<null>>} */
  deleteJob(id) {
    return this.request('DELETE', `${ROOT}/api/jobs/${encodeURIComponent(id)}`, { keepalive: true });
  }

  /** @param {string} upload address of a resumable upload @returns {Promise<Answer<null>>} */
  deleteUpload(upload) {
    return this.request('DELETE', upload, { headers: { 'Tus-Resumable': '1.0.0' }, keepalive: true });
  }

  /** @param {string} id @param {Record<string, string>} options @param {string} key @returns {Promise<Answer<Job>>} */
  async retry(id, options, key) {
    const { retryQueryOf } = await import('../core/retry-query.js');
    return this.request('POST', `${ROOT}/api/jobs/${encodeURIComponent(id)}/retry?${new URLSearchParams(retryQueryOf(options, this.offered))}`, { headers: { 'Idempotency-Key': key } });
  }

  /** @param {string} url @param {Record<string, string>} options @param {string} key @returns {Promise<Answer<Job>>} */
  createFromUrl(url, options, key) {
    return this.request('POST', `${ROOT}/api/jobs?${new URLSearchParams(options)}`, {
      headers: { 'Idempotency-Key': key, 'Content-Type': 'application/json' }, body: JSON.stringify({ url }),
    });
  }

  /** Whether the result can be fetched. The answer to HEAD has no body, so on failure the first byte is asked for: that answer has the problem. @param {string} id @returns {Promise<Answer<null>>} */
  async checkResult(id) {
    const answer = await this.request('HEAD', resultPath(id));
    return answer.ok ? answer : this.request('GET', resultPath(id), { headers: { Range: 'bytes=0-0' } });
  }

  /** @param {string} path @returns {Promise<Blob | null>} null when it failed */
  async fetchBlob(path) {
    try {
      const response = await fetch(path, { headers: this.headers() });
      return response.ok ? await response.blob() : null;
    } catch {
      return null;
    }
  }

  /**
   * The bytes of a result. The gateway answers at the end of the job, or with `not_ready` after half a minute.
   * @param {string} id
   * @param {() => void} onEnd the job has ended well, and its bytes begin to come
   * @param {AbortSignal} signal
   * @returns {Promise<Answer<Blob>>}
   */
  async awaitResult(id, onEnd, signal) {
    try {
      const response = await fetch(resultPath(id), { headers: { ...this.headers(), Prefer: `wait=${LONGEST_WAIT_S}` }, cache: 'no-store', signal });
      if (!response.ok) return readAnswer(response.status, await response.text(), response.headers.get('Retry-After'), this.identity().language);
      onEnd();
      return { ok: true, status: response.status, body: await response.blob() };
    } catch {
      return { ok: false, status: 0, problem: problemOfStatus(0), retry_after_s: null };
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {RequestInit} [init]
   * @param {number} [timeout_ms]
   * @returns {Promise<Answer<any>>}
   */
  async request(method, path, init = {}, timeout_ms = ANSWER_TIMEOUT_MS) {
    const answer = await this.answerOf(method, path, init, timeout_ms);
    this.onAnswer(answer.ok || !answer.problem.is_guessed || !PROXY_STATUSES.has(answer.status));
    return answer;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {RequestInit} init
   * @param {number} timeout_ms
   * @returns {Promise<Answer<any>>}
   */
  async answerOf(method, path, init, timeout_ms) {
    try {
      const headers = { ...this.headers(), ...init.headers };
      const response = await fetch(path, { ...init, method, headers, cache: 'no-store', signal: AbortSignal.timeout(timeout_ms) });
      const text = method === 'HEAD' ? '' : await response.text();
      return readAnswer(response.status, text, response.headers.get('Retry-After'), this.identity().language);
    } catch {
      return { ok: false, status: 0, problem: problemOfStatus(0), retry_after_s: null };
    }
  }
}

/**
 * @param {number} status
 * @param {string} text
 * @param {string | null} retry_after
 * @param {string} language
 * @returns {Answer<any>}
 */
export function readAnswer(status, text, retry_after, language) {
  const body = readJson(text);
  if (status >= 200 && status < 300) return { ok: true, status, body };
  const is_problem = body !== null && typeof body.code === 'string';
  const problem = is_problem ? { ...body, language } : problemOfStatus(status);
  return { ok: false, status, problem, retry_after_s: readRetryAfter(retry_after, Date.now()) };
}

/** @param {string} text @returns {any} */
function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
