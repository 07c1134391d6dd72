// @ts-check
/**
 * Asks the gateway how large a sample of a picture becomes. Whoever waits for images comes first: where the gateway is busy or the operator's rate
 * is used up, nothing is asked for as long as it says, and nobody is told. An aborted request stops the encoder.
 */
import { kindOfFile, restOfEstimates } from '../core/estimate.js';
import { ROOT } from '../core/root.js';

/** A busy gateway that names no time is left alone for so long. */
const QUIET_MS = 10_000;
/** An estimate that takes longer is of no use. */
const PATIENCE_MS = 30_000;

export class EstimateRequests {
  /** @param {import('./api.js').Api} api */
  constructor(api) {
    this.api = api;
    this.quiet_until_ms = 0;
  }

  /**
   * @param {Blob} picture
   * @param {Record<string, string>} query
   * @param {AbortSignal} signal
   * @returns {Promise<{bytes: number, kind: 'lossy' | 'lossless'} | null>} null when there is no answer now
   */
  async ask(picture, query, signal) {
    if (Date.now() < this.quiet_until_ms) return null;
    try {
      const response = await fetch(`${ROOT}/api/convert?${new URLSearchParams(query)}`, {
        method: 'POST', body: picture, headers: { ...this.api.headers(), 'Content-Type': picture.type }, signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      });
      const { headers } = response;
      this.quiet_until_ms = Date.now() + 1000 * restOfEstimates(headers.get('RateLimit-Policy'), headers.get('RateLimit'));
      if (response.ok) return answerOf(new Uint8Array(await response.arrayBuffer()));
      this.quiet_until_ms = Date.now() + (1000 * Number(headers.get('Retry-After')) || QUIET_MS);
    } catch {
      // Aborted, or the gateway is away: the page says that elsewhere.
    }
    return null;
  }
}

/** @param {Uint8Array} file */
const answerOf = (file) => ({ bytes: file.length, kind: kindOfFile(file) });
