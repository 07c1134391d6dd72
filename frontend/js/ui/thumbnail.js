// @ts-check
/**
 * Small pictures of files. A worker draws them, because decoding a large photo takes longer than a frame. One after another, because each
 * is held in memory whole while it is drawn.
 */

const LARGEST_BYTES = 40_000_000;
/** An idle worker is ended after this time, to free its memory. */
const IDLE_MS = 5000;
const SCRIPT = new URL('./thumbnail-worker.js', import.meta.url);

/** @type {Promise<unknown>} */
let last = Promise.resolve();
/** @type {Worker | null} */
let worker = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let idle_timer;

/**
 * @param {Blob} file
 * @returns {Promise<string | null>} a data URL of a few kilobytes; null when the browser cannot decode the file
 */
export function drawThumbnail(file) {
  if (file.size > LARGEST_BYTES) return Promise.resolve(null);
  const next = last.then(() => draw(file));
  last = next;
  return next;
}

/** @param {Blob} file @returns {Promise<string | null>} */
function draw(file) {
  clearTimeout(idle_timer);
  const busy = worker ??= new Worker(SCRIPT, { type: 'module' });
  return new Promise((resolve) => {
    const end = (/** @type {string | null} */ picture) => {
      idle_timer = setTimeout(terminateWorker, IDLE_MS);
      resolve(picture);
    };
    busy.onmessage = ({ data }) => end(data);
    // A browser without OffscreenCanvas: the row shows the result when there is one.
    busy.onerror = () => {
      terminateWorker();
      end(null);
    };
    busy.postMessage(file);
  });
}

function terminateWorker() {
  worker?.terminate();
  worker = null;
}
