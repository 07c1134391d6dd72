// @ts-check
/** About how large one picture becomes: a sample of it is cut, the gateway encodes it with the settings, and the answer is scaled to the whole. */
import { estimatedBytes, kindOfQuery, queryOfSample, WEIGHED_AS } from './core/estimate.js';

/**
 * @typedef {object} Wish
 * @property {string} id of the picture
 * @property {Blob} file
 * @property {Record<string, string>} query of the settings
 * @property {import('./ui/samples.js').Samples} samples
 * @property {import('./net/estimate-requests.js').EstimateRequests} requests
 * @property {AbortSignal} signal
 */

/** @param {Wish} wish @returns {Promise<number | null | 'undecodable'>} bytes; null when there is no answer now */
export async function estimatePicture({ id, file, query, samples, requests, signal }) {
  const limits = { width: Number(query.width) || undefined, height: Number(query.height) || undefined };
  const expected = kindOfQuery(query);
  const sample = await samples.get(id, file, limits, WEIGHED_AS[expected]);
  if (!sample) return 'undecodable';
  if (signal.aborted) return null;
  const answer = await requests.ask(sample.picture, queryOfSample(query), signal);
  if (!answer || signal.aborted) return null;
  if (answer.kind === expected || sample.weight === 1) return estimatedBytes({ ...answer, weight: sample.weight, query });
  // The gateway decided for the other kind: its files are weighed otherwise.
  const other = await samples.get(id, file, limits, WEIGHED_AS[answer.kind]) ?? sample;
  const again = other.weight === 1 ? await requests.ask(other.picture, queryOfSample(query), signal) : answer;
  return again && !signal.aborted ? estimatedBytes({ ...again, weight: other.weight, query }) : null;
}
