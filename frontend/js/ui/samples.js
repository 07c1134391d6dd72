// @ts-check
/** Samples of pictures, made in a worker that is ended when it has been idle. The last few are kept: a movement of a slider needs the same one. */

/** @typedef {import('./sample-worker.js').Sample} Sample */
/** @typedef {{width?: number, height?: number}} Limits */

/** A larger file takes long to decode, and much memory. */
export const LARGEST_FILE_BYTES = 100_000_000;
const KEPT_SAMPLES = 6;
/** An idle worker is ended after this time, to free its memory. */
const IDLE_MS = 5000;
const SCRIPT = new URL('./sample-worker.js', import.meta.url);

export class Samples {
  constructor() {
    /** By what they were made from. @type {Map<string, Promise<Sample | null>>} */
    this.kept = new Map();
    /** One after another: each picture is held in memory whole. @type {Promise<unknown>} */
    this.last = Promise.resolve();
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.idle_timer = undefined;
  }

  /**
   * @param {string} id of the picture
   * @param {Blob} file
   * @param {Limits} limits
   * @param {'image/jpeg' | 'image/png'} weighed_as
   * @returns {Promise<Sample | null>} null when the browser cannot decode it
   */
  get(id, file, limits, weighed_as) {
    const key = JSON.stringify([id, limits, weighed_as]);
    const known = this.kept.get(key) ?? this.last.then(() => this.make({ file, limits, weighed_as }));
    this.last = known;
    this.kept.delete(key);
    this.kept.set(key, known);
    for (const oldest of [...this.kept.keys()].slice(0, -KEPT_SAMPLES)) this.kept.delete(oldest);
    return known;
  }

  /** @param {{file: Blob, limits: Limits, weighed_as: string}} given @returns {Promise<Sample | null>} */
  make(given) {
    clearTimeout(this.idle_timer);
    const worker = this.worker ??= new Worker(SCRIPT, { type: 'module' });
    return new Promise((resolve) => {
      const end = (/** @type {Sample | null} */ sample) => {
        this.idle_timer = setTimeout(() => this.endWorker(), IDLE_MS);
        resolve(sample);
      };
      worker.onmessage = ({ data }) => end(data);
      worker.onerror = () => {
        this.endWorker();
        end(null);
      };
      worker.postMessage(given);
    });
  }

  endWorker() {
    this.worker?.terminate();
    this.worker = null;
  }
}
