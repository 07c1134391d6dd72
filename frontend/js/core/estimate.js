// @ts-check
/** About how large a file becomes, from the gateway's answer to a sample of its picture. What the scale rests on was measured with WebP, and holds for it alone. */
import { DEFAULT_FORMAT } from './capabilities.js';

/** @typedef {import('./sampling.js').Size} Size */

/** How much more a sample costs than its share of the whole: its tiles do not continue each other. Measured (`tests/page/estimates.mjs`). */
const TILES_COST = { lossy: 1.03, lossless: 1 };
/** Formats whose weight of the whole and the sample says most about a lossy and a lossless file. */
export const WEIGHED_AS = /** @type {const} */ ({ lossy: 'image/jpeg', lossless: 'image/png' });
/** Options that say nothing to a sample: it has its size already, and is smaller than the whole. */
const NOT_FOR_SAMPLES = ['width', 'height', 'target_bytes', 'watermark'];
/** Options that take away a part of the picture, or make several of it: a sample knows nothing of that. */
const NOT_ESTIMATED = ['formats', 'widths', 'fit', 'trim'];

/** Of one format. @param {Record<string, string>} query */
export const isOfEstimatedFormat = ({ format = DEFAULT_FORMAT }) => format === DEFAULT_FORMAT;
/** @param {Record<string, string>} query */
export const canEstimate = (query) => isOfEstimatedFormat(query) && !NOT_ESTIMATED.some((name) => name in query);

/** @param {Record<string, string>} query of the whole @returns {Record<string, string>} */
export const queryOfSample = (query) => Object.fromEntries(Object.entries(query).filter(([name]) => !NOT_FOR_SAMPLES.includes(name)));

/**
 * How long no estimate is asked for after an answer, in seconds: each counts as a job, and half of the operator's rate is left for images.
 * @param {string | null} policy the header `RateLimit-Policy`
 * @param {string | null} rate the header `RateLimit`
 */
export function restOfEstimates(policy, rate) {
  const quota = Number(/"default";q=(\d+)/.exec(policy ?? '')?.[1] ?? 0);
  const [, left, reset_s] = /"default";r=(\d+);t=(\d+)/.exec(rate ?? '') ?? [];
  return left !== undefined && 2 * Number(left) < quota ? Number(reset_s) : 0;
}

/** What a query surely leads to; `lossy` where the gateway decides. @param {Record<string, string>} query @returns {keyof typeof WEIGHED_AS} */
export const kindOfQuery = ({ lossless, near_lossless }) => near_lossless || lossless === 'true' ? 'lossless' : 'lossy';

/** Of a WebP file: `VP8L` is lossless, `VP8 ` lossy. Its first chunk may be a header (`VP8X`), with more before the picture. @param {Uint8Array} file @returns {keyof typeof WEIGHED_AS} */
export function kindOfFile(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 12; at + 8 <= file.length;) {
    const name = String.fromCharCode(...file.subarray(at, at + 4));
    if (name === 'VP8L') return 'lossless';
    if (name === 'VP8 ') return 'lossy';
    const length = view.getUint32(at + 4, true);
    at += 8 + length + length % 2;
  }
  return 'lossy';
}

/**
 * @param {{bytes: number, kind: keyof typeof WEIGHED_AS, weight: number, query: Record<string, string>}} answer `weight` as the sample's
 * @returns {number} bytes
 */
export function estimatedBytes({ bytes, kind, weight, query }) {
  const whole = weight === 1 ? bytes : Math.round(bytes * weight / TILES_COST[kind]);
  return query.target_bytes ? Math.min(whole, Number(query.target_bytes)) : whole;
}
