// @ts-check
/** One image to the gateway. XMLHttpRequest, because it alone counts the bytes that were really handed on (fetch has no upload progress). */
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
 * @param {{onSent: (bytes: number) => void, onBody: () => void}} hear
 * @returns {Upload}
 */
export function sendFile(file, query, headers, hear) {
  const request = new XMLHttpRequest();
  const answer = new Promise((resolve) => {
    request.upload.onprogress = (event) => hear.onSent(event.loaded);
    request.upload.onload = () => hear.onBody();
    request.onload = () => resolve(readAnswer(request.status, request.responseText, request.getResponseHeader('Retry-After'), headers['Accept-Language']));
    request.onerror = () => resolve(readAnswer(0, '', null, headers['Accept-Language']));
    request.onabort = () => resolve(null);
  });
  request.open('POST', `/api/jobs?${new URLSearchParams(query)}`);
  request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.send(file);
  return { answer, abort: () => request.abort() };
}
