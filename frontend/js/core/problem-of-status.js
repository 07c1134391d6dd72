// @ts-check
/** @typedef {import('./types.js').Problem} Problem */

/**
 * The problem (`is_guessed`) of an answer that is not `application/problem+json`: a proxy's page, or no answer.
 * @param {number} status HTTP status; 0 when no answer came
 * @returns {Problem}
 */
export const problemOfStatus = (status) => ({ code: codeOf(status), status, is_guessed: true });

/** @param {number} status */
function codeOf(status) {
  if (status === 0) return 'network_lost';
  if (status === 413) return 'proxy_limit';
  if (status === 401) return 'unauthorized';
  if (status === 429) return 'rate_limited';
  return status === 502 || status === 503 || status === 504 ? 'backend_unavailable' : 'internal';
}
