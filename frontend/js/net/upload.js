// @ts-check
/** One image to the gateway in one request. XMLHttpRequest, because `fetch` reports no progress of an upload. */
import { ROOT } from '../core/root.js';
import { readAnswer } from './api.js';

/** @typedef {import('../core/types.js').Job} Job */
/**
 * @typedef {object} Upload
 * @property {Promise<import('./api.js').Answer<Job> | null>} answer null when it was aborted
 * @property {() => void} abort
 */

/**
 * @param {Blob} file
 * @param {Record<string, string>} query
 * @param {Record<string, string>} headers
 * @param {{onSent: (bytes: number) => void, onBody: () => void}} handlers
 * @returns {Upload}
 */
export function sendFile(file, query, headers, handlers) {
  const xhr = new XMLHttpRequest();
  const answer = new Promise((resolve) => {
    xhr.upload.onprogress = (event) => handlers.onSent(event.loaded);
    xhr.upload.onload = () => handlers.onBody();
    xhr.onload = () => resolve(readAnswer(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After'), headers['Accept-Language']));
    xhr.onerror = () => resolve(readAnswer(0, '', null, headers['Accept-Language']));
    xhr.onabort = () => resolve(null);
  });
  xhr.open('POST', `${ROOT}/api/jobs?${new URLSearchParams(query)}`);
  xhr.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
  for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
  xhr.send(file);
  return { answer, abort: () => xhr.abort() };
}
