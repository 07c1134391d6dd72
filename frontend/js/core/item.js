// @ts-check
/**
 * One file on its way: `advance(item, fact)` gives the item after the fact. Laws: percent and progress never fall, but for a file that
 * starts again from nothing; 100 appears with `result_answered` alone; a Job older than the one seen changes nothing.
 */
import { updateEta, startEta } from './eta.js';
import { TRANSITIONS, isFollowing, stateOfJob } from './states.js';

/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Job} Job */
/** @typedef {import('./types.js').Problem} Problem */
/**
 * @typedef {{type: 'upload_started' | 'body_sent' | 'lost_network' | 'resumed' | 'cancelled' | 'cancel_asked' | 'vanished' |
 *     'result_answered' | 'paused' | 'origin_lost', at_ms: number}
 *   | {type: 'upload_opened', upload: string, at_ms: number}
 *   | {type: 'bytes_kept', kept_bytes: number, at_ms: number}
 *   | {type: 'known', origin: string, at_ms: number}
 *   | {type: 'bytes_sent', sent_bytes: number, at_ms: number}
 *   | {type: 'broke', problem: Problem | null, retry_at_ms: number, at_ms: number}
 *   | {type: 'refused' | 'explained', problem: Problem, at_ms: number}
 *   | {type: 'job_seen', job: Job, at_ms: number}
 *   | {type: 'restarted', key: string, options: Record<string, string>, origin: string | null, at_ms: number}} Fact
 */

/** The upload's share of the whole way; the job has the rest. */
const UPLOAD_SHARE = 0.3;

/**
 * @param {Pick<Item, 'id' | 'name' | 'bytes'> & Partial<Item>} given
 * @returns {Item}
 */
export function createItem(given) {
  return {
    state: 'waiting', type: '', key: '', options: {}, has_file: true, origin: null, url: null, upload: null, kept_bytes: 0, sent_bytes: 0, progress: 0, percent: 0,
    meter: null, job: null, seq: -1, position: null, eta_s: null, source: null, result: null, problem: null, attempt: 0,
    retry_at_ms: 0, duration_s: null, heard_at_ms: 0, ...given,
  };
}

/**
 * @param {Item} item
 * @param {Fact} fact
 * @returns {Item}
 */
export function advance(item, fact) {
  if (fact.type === 'job_seen') return seeJob(item, fact.job, fact.at_ms);
  const state = TRANSITIONS[item.state][fact.type];
  return state ? withPercent(changed({ ...item, state }, fact)) : item;
}

/**
 * @param {Item} item
 * @param {Exclude<Fact, {type: 'job_seen'}>} fact
 * @returns {Item}
 */
function changed(item, fact) {
  switch (fact.type) {
    case 'upload_started': return { ...item, problem: null, sent_bytes: item.upload ? item.sent_bytes : 0, meter: startEta(fact.at_ms, item.kept_bytes) };
    case 'upload_opened': return { ...item, upload: fact.upload, kept_bytes: 0, sent_bytes: 0 };
    case 'bytes_kept': return keepBytes(item, fact.kept_bytes);
    case 'known': return { ...item, origin: fact.origin };
    case 'origin_lost': return { ...item, origin: null, sent_bytes: 0 };
    case 'paused': return { ...item, meter: null };
    case 'bytes_sent': return sendBytes(item, fact.sent_bytes, fact.at_ms);
    case 'body_sent': return { ...item, sent_bytes: item.bytes };
    case 'broke': return { ...item, problem: fact.problem, retry_at_ms: fact.retry_at_ms, attempt: item.attempt + 1 };
    case 'refused':
    case 'explained': return { ...item, problem: fact.problem };
    case 'result_answered': return { ...item, progress: 100, position: null, eta_s: null };
    case 'restarted': return restart(item, fact.key, fact.options, fact.origin);
    default: return item;
  }
}

/**
 * @param {Item} item
 * @param {number} sent_bytes
 * @param {number} at_ms
 * @returns {Item}
 */
function sendBytes(item, sent_bytes, at_ms) {
  const sent = Math.min(Math.max(sent_bytes, 0), item.bytes);
  // What was on its way when a connection broke has to be sent again; the figure waits until that is made good.
  const shown = item.upload ? Math.max(item.sent_bytes, sent) : sent;
  return { ...item, sent_bytes: shown, meter: updateEta(item.meter ?? startEta(at_ms), sent, item.bytes, at_ms) };
}

/** The connection works: what broke before no longer counts. @param {Item} item @param {number} kept_bytes @returns {Item} */
function keepBytes(item, kept_bytes) {
  const kept = Math.min(Math.max(kept_bytes, 0), item.bytes);
  return { ...item, kept_bytes: kept, sent_bytes: Math.max(item.sent_bytes, kept), attempt: kept > item.kept_bytes ? 0 : item.attempt };
}

/**
 * @param {Item} item
 * @param {string} key
 * @param {Record<string, string>} options
 * @param {string | null} origin
 */
function restart(item, key, options, origin) {
  const { id, name, bytes, type, has_file, url } = item;
  return createItem({ id, name, bytes, type, has_file, url, origin, key, options });
}

/**
 * @param {Item} item
 * @param {Job} job
 * @param {number} at_ms
 * @returns {Item}
 */
function seeJob(item, job, at_ms) {
  if (item.job === job.id && job.seq <= item.seq) return hearAgain(item, job, at_ms);
  if (!isFollowing(item.state)) return item;
  const state = stateOfJob(job);
  const is_cancelling = item.state === 'cancelling' && (job.state === 'queued' || job.state === 'running');
  return withPercent({
    ...item,
    state: is_cancelling ? 'cancelling' : state,
    job: job.id, seq: job.seq, heard_at_ms: at_ms, sent_bytes: item.bytes, meter: null,
    progress: Math.max(item.progress, Math.min(job.progress, 99)),
    position: job.queue_position ?? null,
    eta_s: job.eta_seconds ?? null,
    source: job.source ?? item.source,
    result: job.result ?? null,
    problem: job.error ?? null,
    duration_s: durationOf(job) ?? item.duration_s,
  });
}

/** The queue moves without a change of the job: its place is news though `seq` is not. @param {Item} item @param {Job} job @param {number} at_ms */
function hearAgain(item, job, at_ms) {
  const is_same = job.seq === item.seq && item.state === 'queued';
  return { ...item, heard_at_ms: at_ms, position: is_same ? job.queue_position ?? item.position : item.position };
}

/** @param {Job} job */
function durationOf(job) {
  if (!job.started_at || !job.finished_at) return null;
  return Math.max(0, (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000);
}

/**
 * @param {Item} item
 * @returns {Item}
 */
function withPercent(item) {
  if (item.state === 'done') return { ...item, percent: 100 };
  const upload = item.job ? 1 : item.bytes > 0 ? item.sent_bytes / item.bytes : 0;
  const whole = 100 * (UPLOAD_SHARE * upload + (1 - UPLOAD_SHARE) * item.progress / 100);
  return { ...item, percent: Math.max(item.percent, Math.min(Math.floor(whole), 99)) };
}
