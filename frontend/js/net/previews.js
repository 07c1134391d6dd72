// @ts-check
/**
 * Previews of what the browser cannot show: lossless WebP. That of a source is made by the gateway from the one that it has stored, and held by
 * the page alone; its job is deleted as soon as the bytes are here. That of a result is made from its bytes, and leaves nothing at the gateway.
 */
import { ROOT } from '../core/root.js';
import { encodeAgain, isProblem } from './encode-again.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/types.js').Problem} Problem */

/** Least effort: a preview is looked at once. Lossless at any effort. */
const OPTIONS = { lossless: 'true', method: '0' };
/** A larger source is shown smaller: at this size a lossless photograph is about 10 MB, and takes the gateway four seconds. */
const LARGEST_PIXELS = 12_000_000;
const KEPT = 3;

export class Previews {
  /** @param {import('./encode-again.js').Net} net */
  constructor(net) {
    this.net = net;
    /** By item, the oldest first. @type {Map<string, Blob>} */
    this.blobs = new Map();
  }

  /**
   * @param {Item} item
   * @param {{origin: string, key: string}} from the job whose source it is, and an Idempotency-Key
   * @param {import('./encode-again.js').Handlers} handlers
   * @param {AbortSignal} signal
   * @returns {Promise<Blob | Problem | null>} null when it was aborted
   */
  async get(item, { origin, key }, handlers, signal) {
    const known = this.blobs.get(item.id);
    if (known) return known;
    const outcome = await encodeAgain(this.net, { origin, key, options: { ...OPTIONS, ...boundOf(item.source) } }, handlers, signal);
    if (outcome === null || isProblem(outcome)) return outcome;
    this.net.api.deleteJob(outcome.job.id);
    this.blobs.set(item.id, outcome.blob);
    if (this.blobs.size > KEPT) this.forget([...this.blobs.keys()][0]);
    return outcome.blob;
  }

  /**
   * @param {Blob} result
   * @param {import('../core/zoom.js').Size} size
   * @param {AbortSignal} signal
   * @returns {Promise<Blob | null>} null when it was aborted, or failed
   */
  async ofResult(result, size, signal) {
    try {
      const query = new URLSearchParams({ ...OPTIONS, ...boundOf(size) });
      const response = await fetch(`${ROOT}/api/convert?${query}`, { method: 'POST', body: result, headers: { ...this.net.api.headers(), 'Content-Type': result.type }, signal });
      return response.ok ? await response.blob() : null;
    } catch {
      return null;
    }
  }

  /** @param {string} id of an item */
  forget(id) {
    this.blobs.delete(id);
  }
}

/** Longest side and shortest are not told apart: a source may be turned. @param {Pick<import('../core/types.js').Source, 'width' | 'height'> | null} source @returns {Record<string, string>} */
export function boundOf(source) {
  const [width, height] = [source?.width ?? 0, source?.height ?? 0];
  if (width * height <= LARGEST_PIXELS) return {};
  const side = String(Math.floor(Math.max(width, height) * Math.sqrt(LARGEST_PIXELS / (width * height))));
  return { width: side, height: side };
}
