// @ts-check
/** @typedef {import('./types.js').Problem} Problem */

/**
 * The problem of an answer that is not `application/problem+json`: a proxy's page, or no answer.
 * @param {number} status HTTP status; 0 when no answer came
 * @returns {Problem}
 */
export function problemOfStatus(status) {
  if (status === 0) return { code: 'network_lost', status };
  if (status === 413) return { code: 'proxy_limit', status };
  if (status === 401) return { code: 'unauthorized', status };
  if (status === 429) return { code: 'rate_limited', status };
  return { code: status === 502 || status === 503 || status === 504 ? 'backend_unavailable' : 'internal', status };
}
