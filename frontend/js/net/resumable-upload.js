// @ts-check
/**
 * One large image to the gateway in pieces (tus 1.0.0: creation, core). What the gateway acknowledged is not sent again, whatever happened
 * in between: a broken connection, a reload, a closed laptop. Law: the gateway is asked where the upload stands before anything is sent on.
 */
import { readAnswer } from './api.js';

/** @typedef {import('../core/types.js').Job} Job */
/** @typedef {import('./api.js').Answer<Job>} JobAnswer */
/**
 * @typedef {object} Resumable what is to be sent, and what is known of it
 * @property {Blob} file
 * @property {string} name
 * @property {string | null} upload its address, if it was begun
 * @property {Record<string, string>} options
 * @typedef {object} Hear
 * @property {(upload: string) => void} onOpened
 * @property {(bytes: number) => void} onKept
 * @property {(bytes: number) => void} onSent
 * @property {() => void} onBody
 * @property {(job: string) => void} onJob the id of what the upload has become, before anything else is known of it
 * @typedef {{status: number, text: string, offset: number | null, link: string | null, location: string | null, retry_after: string | null}} Reply
 */

const PIECE_BYTES = 8 * 1024 * 1024;
/** A connection without a byte for so long is dead, though nobody said so: a laptop that slept, a network that changed. */
const STALLED_MS = 15_000;
const LOOK_MS = 1000;
/** Answers after which the gateway is asked anew where the upload stands: out of step, held by the connection that was lost. */
const OUT_OF_STEP = new Set([409, 423, 460]);
const LOST = new Set([404, 410]);

/**
 * @param {import('./api.js').Api} api
 * @param {Resumable} given
 * @param {Hear} hear
 * @returns {import('./upload.js').Upload}
 */
export function sendResumable(api, given, hear) {
  const sending = new Sending(api, given, hear);
  return { answer: sending.run(), abort: () => sending.abort() };
}

class Sending {
  /** @param {import('./api.js').Api} api @param {Resumable} given @param {Hear} hear */
  constructor(api, given, hear) {
    this.api = api;
    this.given = given;
    this.hear = hear;
    this.is_aborted = false;
    /** Of a piece, a 400 says that the line was too slow or broke: what had arrived is kept, and it goes on from there. */
    this.is_appending = false;
    /** @type {XMLHttpRequest | null} */
    this.request = null;
  }

  abort() {
    this.is_aborted = true;
    this.request?.abort();
  }

  /** @returns {Promise<JobAnswer | null>} */
  async run() {
    let reply = this.given.upload ? await this.ask('HEAD', this.given.upload) : null;
    let upload = this.given.upload ?? '';
    if (!reply || LOST.has(reply.status)) {
      reply = await this.create();
      upload = reply.location ?? '';
      if (upload && !this.is_aborted) this.hear.onOpened(upload);
    }
    while (!this.is_aborted && isGood(reply) && !reply.link) {
      this.hear.onKept(reply.offset ?? 0);
      reply = await this.append(upload, reply.offset ?? 0);
    }
    if (this.is_aborted) return null;
    return isGood(reply) ? this.follow(reply.link ?? '') : this.answerOf(reply);
  }

  create() {
    const { file, name, options } = this.given;
    const metadata = [['filename', name], ['filetype', file.type || 'application/octet-stream']].map(([key, value]) => `${key} ${base64(value)}`);
    const headers = { 'Upload-Length': String(file.size), 'Upload-Metadata': metadata.join(',') };
    return this.ask('POST', `/api/uploads?${new URLSearchParams(options)}`, headers);
  }

  /** @param {string} upload @param {number} offset */
  append(upload, offset) {
    this.is_appending = true;
    const piece = this.given.file.slice(offset, offset + PIECE_BYTES);
    const is_last = offset + piece.size >= this.given.file.size;
    const headers = { 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' };
    return this.ask('PATCH', upload, headers, piece, {
      onSent: (bytes) => this.hear.onSent(offset + bytes),
      onBody: () => is_last && this.hear.onBody(),
    });
  }

  /** The job that the upload has become. @param {string} link @returns {Promise<JobAnswer>} */
  follow(link) {
    const id = /\/api\/jobs\/([\w-]+)>/.exec(link)?.[1] ?? '';
    this.hear.onJob(id);
    return this.api.job(id);
  }

  /** @param {Reply} reply @returns {JobAnswer} */
  answerOf(reply) {
    const answer = readAnswer(reply.status, reply.text, reply.retry_after, this.api.identity().language);
    const is_slow = reply.status === 400 && this.is_appending;
    return (is_slow || OUT_OF_STEP.has(reply.status)) && !answer.ok ? { ...answer, status: 503 } : answer;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Record<string, string>} [headers]
   * @param {Blob} [body]
   * @param {{onSent: (bytes: number) => void, onBody: () => void}} [hear]
   * @returns {Promise<Reply>}
   */
  ask(method, path, headers = {}, body, hear) {
    const request = new XMLHttpRequest();
    this.request = request;
    let heard_ms = Date.now();
    const watch = setInterval(() => Date.now() - heard_ms > STALLED_MS && request.abort(), LOOK_MS);
    return new Promise((resolve) => {
      request.upload.onprogress = (event) => {
        heard_ms = Date.now();
        hear?.onSent(event.loaded);
      };
      request.upload.onload = () => {
        // From here on the gateway writes to its disk, which may take longer than a network should.
        heard_ms = Date.now() + STALLED_MS;
        hear?.onBody();
      };
      request.onloadend = () => {
        clearInterval(watch);
        resolve(replyOf(request));
      };
      request.open(method, path);
      for (const [name, value] of Object.entries({ ...this.api.headers(), 'Tus-Resumable': '1.0.0', ...headers })) request.setRequestHeader(name, value);
      request.send(body);
    });
  }
}

/** @param {XMLHttpRequest} request @returns {Reply} */
function replyOf(request) {
  const offset = request.getResponseHeader('Upload-Offset');
  return {
    status: request.status, text: request.responseText, offset: offset === null ? null : Number(offset), link: request.getResponseHeader('Link'),
    location: request.getResponseHeader('Location'), retry_after: request.getResponseHeader('Retry-After'),
  };
}

/** @param {Reply} reply */
const isGood = (reply) => reply.status >= 200 && reply.status < 300;

/** UTF-8 first: `btoa` knows bytes only. @param {string} text */
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
