// @ts-check
/**
 * Small pictures of files, drawn by a worker: to decode a large photo takes longer than a frame, and thirty of them must not stall the page.
 * One after another, because each is held in memory whole while it is drawn.
 */

const LARGEST_BYTES = 40_000_000;
/** A worker that had nothing to do for so long goes, and its memory with it. */
const IDLE_MS = 5000;
const SCRIPT = new URL('./thumbnail-worker.js', import.meta.url);

/** @type {Promise<unknown>} */
let last = Promise.resolve();
/** @type {Worker | null} */
let worker = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let idling;

/**
 * @param {Blob} file
 * @returns {Promise<string | null>} a data URL small enough to be remembered; null for what the browser cannot show
 */
export function drawThumbnail(file) {
  if (file.size > LARGEST_BYTES) return Promise.resolve(null);
  const next = last.then(() => draw(file));
  last = next;
  return next;
}

/** @param {Blob} file @returns {Promise<string | null>} */
function draw(file) {
  clearTimeout(idling);
  const busy = worker ??= new Worker(SCRIPT, { type: 'module' });
  return new Promise((resolve) => {
    const end = (/** @type {string | null} */ picture) => {
      idling = setTimeout(dismiss, IDLE_MS);
      resolve(picture);
    };
    busy.onmessage = ({ data }) => end(data);
    // Without OffscreenCanvas there is no small picture; the result's takes its place when there is one.
    busy.onerror = () => {
      dismiss();
      end(null);
    };
    busy.postMessage(file);
  });
}

function dismiss() {
  worker?.terminate();
  worker = null;
}
