// @ts-check
/**
 * What can become of a file, as one table: state × fact → next state. A fact that a state does not list changes nothing, so a late
 * event cannot wake what has ended. `job_seen` is not listed: where it goes is written in the Job (see `stateOfJob`).
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
    upload_opened: 'uploading', bytes_kept: 'uploading', bytes_sent: 'uploading', known: 'uploading', body_sent: 'verifying', broke: 'retrying',
    lost_network: 'offline', paused: 'paused', refused: 'failed', cancelled: 'cancelled',
  },
  retrying: { resumed: 'waiting', lost_network: 'offline', paused: 'paused', cancelled: 'cancelled' },
  offline: { resumed: 'waiting', paused: 'paused', cancelled: 'cancelled' },
  paused: { resumed: 'waiting', cancelled: 'cancelled' },
  verifying: {
    broke: 'retrying', lost_network: 'offline', refused: 'failed', cancel_asked: 'cancelling', vanished: 'expired', origin_lost: 'waiting',
  },
  queued: { cancel_asked: 'cancelling', vanished: 'expired' },
  decoding: { cancel_asked: 'cancelling', vanished: 'expired' },
  transforming: { cancel_asked: 'cancelling', vanished: 'expired' },
  encoding: { cancel_asked: 'cancelling', vanished: 'expired' },
  saving: { cancel_asked: 'cancelling', vanished: 'expired' },
  confirming: { result_answered: 'done', vanished: 'expired' },
  cancelling: { cancelled: 'cancelled', broke: 'cancelled', lost_network: 'cancelled', refused: 'cancelled', vanished: 'cancelled' },
  done: { vanished: 'expired', restarted: 'waiting' },
  failed: { restarted: 'waiting', explained: 'failed' },
  cancelled: { restarted: 'waiting' },
  expired: { restarted: 'waiting' },
};

/** States in which a Job may still report. */
const FOLLOWING = new Set(['uploading', 'verifying', 'queued', 'decoding', 'transforming', 'encoding', 'saving', 'confirming', 'cancelling']);
const FINAL = new Set(['invalid', 'done', 'failed', 'cancelled', 'expired']);
const SENDING = new Set(['uploading', 'verifying']);
const CONVERTING = new Set(['queued', 'decoding', 'transforming', 'encoding', 'saving', 'confirming']);

/** @param {State} state */
export const isFinal = (state) => FINAL.has(state);
/** @param {State} state */
export const isFollowing = (state) => FOLLOWING.has(state);
/** Whether an upload slot is taken. @param {State} state */
export const isSending = (state) => SENDING.has(state);
/** Whether the server has the image and works on it. @param {State} state */
export const isConverting = (state) => CONVERTING.has(state);
/** Whether it can be held back and gone on with later. @param {State} state */
export const canPause = (state) => 'paused' in TRANSITIONS[state];
/** Whether only the server can stop it. @param {State} state */
export const needsServer = (state) => 'cancel_asked' in TRANSITIONS[state];
/** @param {State} state */
export const canCancel = (state) => needsServer(state) || 'cancelled' in TRANSITIONS[state] && state !== 'cancelling';

/** @type {Record<string, State>} */
const BY_STAGE = { decode: 'decoding', transform: 'transforming', encode: 'encoding', store: 'saving' };

/**
 * @param {Job} job
 * @returns {State}
 */
export function stateOfJob(job) {
  if (job.state === 'succeeded') return 'confirming';
  if (job.state === 'running') return BY_STAGE[job.stage ?? ''] ?? 'decoding';
  return job.state;
}
