// @ts-check
/**
 * The states of an image as one table: state × fact → next state. A fact that a state does not list changes nothing, so a late event cannot
 * revive an image that has ended. `job_updated` is not listed: the next state is written in the Job (see `stateOfJob`).
 *
 *   waiting → uploading → verifying → queued → decoding → transforming → encoding → saving → confirming → done
 *                ↑ ↓
 *    retrying / offline / paused
 */

/** @typedef {import('./types.js').State} State */
/** @typedef {import('./types.js').Job} Job */

/** @type {Record<State, Record<string, State>>} */
export const TRANSITIONS = {
  invalid: {},
  waiting: { upload_started: 'uploading', paused: 'paused', cancelled: 'cancelled', refused: 'failed' },
  uploading: {
    upload_opened: 'uploading', job_accepted: 'uploading', bytes_kept: 'uploading', bytes_sent: 'uploading', origin_found: 'uploading', body_sent: 'verifying', upload_broke: 'retrying',
    network_lost: 'offline', paused: 'paused', refused: 'failed', cancelled: 'cancelled',
  },
  retrying: { resumed: 'waiting', network_lost: 'offline', paused: 'paused', cancelled: 'cancelled' },
  offline: { resumed: 'waiting', paused: 'paused', cancelled: 'cancelled' },
  paused: { resumed: 'waiting', cancelled: 'cancelled' },
  verifying: {
    job_accepted: 'verifying', upload_broke: 'retrying', network_lost: 'offline', refused: 'failed', cancel_requested: 'cancelling', job_gone: 'expired', origin_lost: 'waiting',
  },
  queued: { cancel_requested: 'cancelling', job_gone: 'expired' },
  decoding: { cancel_requested: 'cancelling', job_gone: 'expired' },
  transforming: { cancel_requested: 'cancelling', job_gone: 'expired' },
  encoding: { cancel_requested: 'cancelling', job_gone: 'expired' },
  saving: { cancel_requested: 'cancelling', job_gone: 'expired' },
  confirming: { result_confirmed: 'done', job_gone: 'expired' },
  cancelling: { job_accepted: 'cancelling', cancelled: 'cancelled', upload_broke: 'cancelled', network_lost: 'cancelled', refused: 'cancelled', job_gone: 'cancelled' },
  done: { job_gone: 'expired', restarted: 'waiting', renamed: 'done' },
  failed: { restarted: 'waiting', problem_translated: 'failed' },
  cancelled: { restarted: 'waiting' },
  expired: { restarted: 'waiting' },
};

/** States in which updates of a Job still count. */
const FOLLOWING = new Set(['uploading', 'verifying', 'queued', 'decoding', 'transforming', 'encoding', 'saving', 'confirming', 'cancelling']);
const FINAL = new Set(['invalid', 'done', 'failed', 'cancelled', 'expired']);
const STANDING = new Set(['paused', 'offline', 'retrying']);
const FAILED = new Set(['invalid', 'failed', 'expired']);
const SENDING = new Set(['uploading', 'verifying']);
const CONVERTING = new Set(['queued', 'decoding', 'transforming', 'encoding', 'saving', 'confirming']);

/** @param {State} state */
export const isFinal = (state) => FINAL.has(state);
/** @param {State} state */
export const isFollowing = (state) => FOLLOWING.has(state);
/** Whether nothing works on it until a person, the network or a timer moves it on. @param {State} state */
export const isStanding = (state) => STANDING.has(state);
/** Whether it ended without a result, and nobody wanted that. @param {State} state */
export const isFailed = (state) => FAILED.has(state);
/** Whether it takes an upload slot. @param {State} state */
export const isSending = (state) => SENDING.has(state);
/** Whether the gateway has the image and works on it. @param {State} state */
export const isConverting = (state) => CONVERTING.has(state);
/** @param {State} state */
export const canPause = (state) => 'paused' in TRANSITIONS[state];
/** Whether a cancel has to be asked of the gateway. @param {State} state */
export const isCancelledByGateway = (state) => 'cancel_requested' in TRANSITIONS[state];
/** @param {State} state */
export const canCancel = (state) => isCancelledByGateway(state) || 'cancelled' in TRANSITIONS[state] && state !== 'cancelling';

/** Whether nothing more will come of a job. @param {Job} job */
export const hasEnded = (job) => job.state !== 'queued' && job.state !== 'running';

/** @type {Record<string, State>} */
const STATE_BY_STAGE = { decode: 'decoding', transform: 'transforming', encode: 'encoding', store: 'saving' };

/**
 * @param {Job} job
 * @returns {State}
 */
export function stateOfJob(job) {
  if (job.state === 'succeeded') return 'confirming';
  if (job.state === 'running') return STATE_BY_STAGE[job.stage ?? ''] ?? 'decoding';
  return job.state;
}
