// @ts-check
/** Where the gateway has what belongs to a job. */
import { ROOT } from './root.js';

/** @param {string} id */
export const resultPath = (id) => `${ROOT}/api/jobs/${encodeURIComponent(id)}/result`;
/** @param {string} id */
export const sourcePath = (id) => `${ROOT}/api/jobs/${encodeURIComponent(id)}/source`;
