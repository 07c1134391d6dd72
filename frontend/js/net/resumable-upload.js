// @ts-check
/**
 * A resumable upload of one image (tus 1.0.0: creation, core), chunk by chunk. What the gateway acknowledged is not sent again after a broken
 * connection, a reload or a closed laptop. Law: the gateway is asked for its offset before an upload goes on.
 */
import { ROOT } from '../core/root.js';
import { readAnswer } from './api.js';

/** @typedef {import('../core/types.js').Job} Job */
/** @typedef {import('./api.js').Answer<Job>} JobAnswer */
/**
 * @typedef {object} Source what to send
 * @property {Blob} file
 * @property {string} name
 * @property {string | null} upload address of the upload, if one was begun
 * @property {Record<string, string>} options
 * @typedef {object} Handlers
 * @property {(upload: string) => void} onOpened
 * @property {(bytes: number) => void} onKept
 * @property {(bytes: number) => void} onSent
 * @property {() => void} onBody the last byte was sent
 * @property {(job: string) => void} onJob the id of the job, before anything else is known of it
 * @typedef {{onSent: (bytes: number) => void, onBody: () => void}} RequestHandlers
 * @typedef {{status: number, text: string, offset: number | null, link: string | null, location: string | null, retry_after: string | null}} Reply
 */

const CHUNK_BYTES = 8 * 1024 * 1024;
/** A connection that moves no byte for so long is taken as dead: after a laptop slept or the network changed, nothing reports it. */
const STALLED_MS = 15_000;
const CHECK_EVERY_MS = 1000;
/** Statuses after which the offset is asked for again: wrong offset, still held by the lost connection, wrong checksum. */
const OFFSET_STATUSES = new Set([409, 423, 460]);
const GONE_STATUSES = new Set([404, 410]);

/**
 * @param {import('./api.js').Api} api
 * @param {Source} source
 * @param {Handlers} handlers
 * @returns {import('./upload.js').Upload}
 */
export function sendResumable(api, source, handlers) {
  const upload = new ResumableUpload(api, source, handlers);
  return { answer: upload.run(), abort: () => upload.abort() };
}

class ResumableUpload {
  /** @param {import('./api.js').Api} api @param {Source} source @param {Handlers} handlers */
  constructor(api, source, handlers) {
    this.api = api;
    this.source = source;
    this.handlers = handlers;
    this.is_aborted = false;
    /**
     * Whether a chunk was sent. To a chunk, 400 means that the connection was too slow or broke; what had arrived is kept. 404 means that the upload
     * was erased meanwhile, or that this host does not know it: the next attempt asks, and begins anew where it is gone.
     */
    this.is_appending = false;
    /** @type {XMLHttpRequest | null} */
    this.xhr = null;
  }

  abort() {
    this.is_aborted = true;
    this.xhr?.abort();
  }

  /** @returns {Promise<JobAnswer | null>} null when it was aborted */
  async run() {
    let reply = this.source.upload ? await this.request('HEAD', this.source.upload) : null;
    let upload = this.source.upload ?? '';
    if (!reply || GONE_STATUSES.has(reply.status)) {
      reply = await this.create();
      upload = reply.location ?? '';
      if (upload && !this.is_aborted) this.handlers.onOpened(upload);
    }
    while (!this.is_aborted && isSuccess(reply) && !reply.link) {
      this.handlers.onKept(reply.offset ?? 0);
      reply = await this.append(upload, reply.offset ?? 0);
    }
    if (this.is_aborted) return null;
    return isSuccess(reply) ? this.fetchJob(reply.link ?? '') : this.failureOf(reply);
  }

  create() {
    const { file, name, options } = this.source;
    const metadata = [['filename', name], ['filetype', file.type || 'application/octet-stream']].map(([key, value]) => `${key} ${base64(value)}`);
    const headers = { 'Upload-Length': String(file.size), 'Upload-Metadata': metadata.join(',') };
    return this.request('POST', `${ROOT}/api/uploads?${new URLSearchParams(options)}`, headers);
  }

  /** @param {string} upload @param {number} offset */
  append(upload, offset) {
    this.is_appending = true;
    const chunk = this.source.file.slice(offset, offset + CHUNK_BYTES);
    const is_last = offset + chunk.size >= this.source.file.size;
    const headers = { 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' };
    return this.request('PATCH', upload, headers, chunk, {
      onSent: (bytes) => this.handlers.onSent(offset + bytes),
      onBody: () => is_last && this.handlers.onBody(),
    });
  }

  /** @param {string} link to the job that was made of the upload @returns {Promise<JobAnswer>} */
  fetchJob(link) {
    const id = /\/api\/jobs\/([\w-]+)>/.exec(link)?.[1] ?? '';
    this.handlers.onJob(id);
    return this.api.job(id);
  }

  /** What another attempt can mend is reported as 503. @param {Reply} reply @returns {JobAnswer} */
  failureOf(reply) {
    const answer = readAnswer(reply.status, reply.text, reply.retry_after, this.api.identity().language);
    const asks_again = OFFSET_STATUSES.has(reply.status) || (this.is_appending && (reply.status === 400 || GONE_STATUSES.has(reply.status)));
    return asks_again && !answer.ok ? { ...answer, status: 503 } : answer;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Record<string, string>} [headers]
   * @param {Blob} [body]
   * @param {RequestHandlers} [handlers]
   * @returns {Promise<Reply>}
   */
  request(method, path, headers = {}, body, handlers) {
    const xhr = new XMLHttpRequest();
    this.xhr = xhr;
    let moved_ms = Date.now();
    const stall_check = setInterval(() => Date.now() - moved_ms > STALLED_MS && xhr.abort(), CHECK_EVERY_MS);
    return new Promise((resolve) => {
      xhr.upload.onprogress = (event) => {
        moved_ms = Date.now();
        handlers?.onSent(event.loaded);
      };
      xhr.upload.onload = () => {
        // Now the gateway syncs the bytes to its disk, which may take longer than a pause of the network: twice the time.
        moved_ms = Date.now() + STALLED_MS;
        handlers?.onBody();
      };
      xhr.onloadend = () => {
        clearInterval(stall_check);
        resolve(replyOf(xhr));
      };
      xhr.open(method, path);
      for (const [name, value] of Object.entries({ ...this.api.headers(), 'Tus-Resumable': '1.0.0', ...headers })) xhr.setRequestHeader(name, value);
      xhr.send(body);
    });
  }
}

/** @param {XMLHttpRequest} xhr @returns {Reply} */
function replyOf(xhr) {
  const offset = xhr.getResponseHeader('Upload-Offset');
  return {
    status: xhr.status, text: xhr.responseText, offset: offset === null ? null : Number(offset), link: xhr.getResponseHeader('Link'),
    location: xhr.getResponseHeader('Location'), retry_after: xhr.getResponseHeader('Retry-After'),
  };
}

/** @param {Reply} reply */
const isSuccess = (reply) => reply.status >= 200 && reply.status < 300;

/** Of the text in UTF-8: `btoa` takes bytes only. @param {string} text */
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
