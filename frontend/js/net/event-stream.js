// @ts-check
/**
 * Updates of one job as Server-Sent Events (WHATWG HTML §9.2). Read with `fetch`: unlike `EventSource` it can send an API key, and it tells
 * why a stream ended.
 */
import { ROOT } from '../core/root.js';

/** @typedef {import('../core/types.js').Job} Job */

/**
 * @param {import('./api.js').Api} api
 * @param {string} id
 * @param {number} after the last `seq` seen, or -1
 * @param {(job: Job) => void} onJob
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} when the stream has ended: whether any job came through it
 */
export async function followEvents(api, id, after, onJob, signal) {
  try {
    const headers = { ...api.headers(), Accept: 'text/event-stream', ...(after >= 0 ? { 'Last-Event-ID': String(after) } : {}) };
    const response = await fetch(`${ROOT}/api/jobs/${encodeURIComponent(id)}/events`, { headers, cache: 'no-store', signal });
    if (!response.ok || !response.body) return false;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    let has_worked = false;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return has_worked;
      const events = (rest + value).split(/\r?\n\r?\n/);
      rest = events.pop() ?? '';
      for (const job of events.map(readEvent)) {
        if (!job) continue;
        has_worked = true;
        onJob(job);
      }
    }
  } catch {
    return false;
  }
}

/** @param {string} event @returns {Job | null} null for a comment */
export function readEvent(event) {
  const data = event.split(/\r?\n/).filter((line) => line.startsWith('data:')).map((line) => line.slice(5)).join('\n');
  return data ? JSON.parse(data) : null;
}
