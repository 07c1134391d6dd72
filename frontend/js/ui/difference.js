// @ts-check
/** How much two pictures differ, measured in a worker: decoding and comparing large ones takes longer than a frame. */

/** @typedef {import('../core/difference.js').Difference} Difference */

const SCRIPT = new URL('./difference-worker.js', import.meta.url);

/**
 * @param {Blob} before
 * @param {Blob} after
 * @param {AbortSignal} signal ends the worker, and frees its memory
 * @returns {Promise<Difference | null>} null where it is not known: a picture that cannot be decoded, a browser without OffscreenCanvas, an end before
 */
export function measureDifference(before, after, signal) {
  if (signal.aborted) return Promise.resolve(null);
  const worker = new Worker(SCRIPT, { type: 'module' });
  return new Promise((resolve) => {
    const end = (/** @type {Difference | null} */ difference) => {
      worker.terminate();
      resolve(difference);
    };
    worker.onmessage = ({ data }) => end(data);
    worker.onerror = () => end(null);
    signal.addEventListener('abort', () => end(null), { once: true });
    worker.postMessage({ before, after });
  });
}
