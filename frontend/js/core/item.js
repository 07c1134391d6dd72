// @ts-check
/**
 * One image as data: `advance(item, fact)` returns the item after a fact. Four laws hold. Percent and progress never fall, unless the image
 * starts again from nothing. Percent is 100 only after `result_confirmed`. A Job older than the last one seen changes nothing. What is said of
 * another job than the item's own (`job_accepted`) changes nothing: an image that is converted again has left its former job behind.
 */
import { startEta, updateEta } from './eta.js';
import { mainVariant } from './variants.js';
import { TRANSITIONS, hasEnded, isFollowing, stateOfJob } from './states.js';

/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Job} Job */
/** @typedef {import('./types.js').Problem} Problem */
/**
 * @typedef {{type: 'upload_started' | 'body_sent' | 'network_lost' | 'resumed' | 'paused' | 'cancel_requested' | 'cancelled' | 'origin_lost' | 'gateway_lost' |
 *     'gateway_back'}
 *   | {type: 'renamed', name: string}
 *   | {type: 'upload_opened', upload: string}
 *   | {type: 'bytes_kept', kept_bytes: number}
 *   | {type: 'bytes_sent', sent_bytes: number}
 *   | {type: 'origin_found', origin: string}
 *   | {type: 'upload_broke', problem: Problem | null, retry_at_ms: number}
 *   | {type: 'refused', problem: Problem}
 *   | {type: 'job_accepted' | 'job_gone' | 'result_confirmed', job_id: string}
 *   | {type: 'problem_translated', job_id: string, problem: Problem}
 *   | {type: 'job_updated', job: Job}
 *   | {type: 'restarted', key: string, options: Record<string, string>, origin: string | null}} Fact
 */

/** The upload's share of `percent`; the job has the rest. */
const UPLOAD_SHARE = 0.3;

/**
 * @param {Pick<Item, 'id' | 'name' | 'bytes'> & Partial<Item>} given
 * @returns {Item}
 */
export function createItem(given) {
  return {
    state: 'waiting', place: 0, folder: '', modified_ms: 0, type: '', key: '', options: {}, has_file: true, origin: null, url: null, upload: null, kept_bytes: 0, sent_bytes: 0, progress: 0, percent: 0, is_estimated: false,
    upload_eta: null, job: null, seq: -1, position: null, eta_s: null, source: null, result: null, results: [], archive: null, problem: null, attempt: 0,
    retry_at_ms: 0, duration_s: null, is_stalled: false, ...given,
  };
}

/**
 * @param {Item} item
 * @param {Fact} fact
 * @param {number} now_ms
 * @returns {Item} the very same item when the fact changes nothing
 */
export function advance(item, fact, now_ms) {
  if (fact.type === 'job_updated') return applyJob(item, fact.job);
  if (fact.type === 'gateway_lost' || fact.type === 'gateway_back') return stall(item, fact.type === 'gateway_lost');
  if ('job_id' in fact && (fact.job_id === item.job) === (fact.type === 'job_accepted')) return item;
  const state = TRANSITIONS[item.state][fact.type];
  return state ? withPercent(applyFact({ ...item, state }, fact, now_ms)) : item;
}

/**
 * @param {Item} item
 * @param {Exclude<Fact, {type: 'job_updated'}>} fact
 * @param {number} now_ms
 * @returns {Item}
 */
function applyFact(item, fact, now_ms) {
  switch (fact.type) {
    case 'upload_started': return { ...item, problem: null, sent_bytes: item.upload ? item.sent_bytes : 0, upload_eta: startEta(now_ms, item.kept_bytes) };
    case 'upload_opened': return { ...item, upload: fact.upload, kept_bytes: 0, sent_bytes: 0 };
    case 'bytes_kept': return keepBytes(item, fact.kept_bytes);
    case 'bytes_sent': return sendBytes(item, fact.sent_bytes, now_ms);
    case 'job_accepted': return { ...item, job: fact.job_id, seq: -1 };
    case 'body_sent': return { ...item, sent_bytes: item.bytes };
    case 'origin_found': return { ...item, origin: fact.origin };
    case 'origin_lost': return { ...item, origin: null, sent_bytes: 0 };
    case 'paused': return { ...item, upload_eta: null };
    case 'upload_broke': return { ...item, problem: fact.problem, retry_at_ms: fact.retry_at_ms, attempt: item.attempt + 1 };
    case 'refused':
    case 'problem_translated': return { ...item, problem: fact.problem };
    case 'result_confirmed': return { ...item, progress: 100, position: null, eta_s: null };
    case 'renamed': return { ...item, name: fact.name };
    case 'restarted': return restart(item, fact.key, fact.options, fact.origin);
    default: return item;
  }
}

/** What was estimated of work under way holds no more. @param {Item} item @param {boolean} is_stalled @returns {Item} */
function stall(item, is_stalled) {
  if (item.is_stalled === is_stalled || is_stalled && !isFollowing(item.state)) return item;
  return is_stalled ? { ...item, is_stalled, eta_s: null, upload_eta: null } : { ...item, is_stalled };
}

/**
 * @param {Item} item
 * @param {number} sent_bytes
 * @param {number} now_ms
 * @returns {Item}
 */
function sendBytes(item, sent_bytes, now_ms) {
  const sent = Math.min(Math.max(sent_bytes, 0), item.bytes);
  // Bytes in flight when a connection broke are sent again. The figure stands still until they are through.
  const shown = item.upload ? Math.max(item.sent_bytes, sent) : sent;
  return { ...item, sent_bytes: shown, upload_eta: updateEta(item.upload_eta ?? startEta(now_ms), sent, item.bytes, now_ms) };
}

/** More bytes were acknowledged, so the connection works: failed attempts before count no more. @param {Item} item @param {number} kept_bytes @returns {Item} */
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
  const { id, place, name, folder, modified_ms, bytes, type, has_file, url } = item;
  return createItem({ id, place, name, folder, modified_ms, bytes, type, has_file, url, origin, key, options });
}

/**
 * @param {Item} item
 * @param {Job} job
 * @returns {Item}
 */
function applyJob(item, job) {
  if (job.id !== item.job) return item;
  if (job.seq <= item.seq) return updatePosition(item, job);
  if (!isFollowing(item.state)) return item;
  const state = stateOfJob(job);
  const is_cancelling = item.state === 'cancelling' && !hasEnded(job);
  return withPercent({
    ...item,
    state: is_cancelling ? 'cancelling' : state,
    seq: job.seq, sent_bytes: item.bytes, upload_eta: null,
    progress: Math.max(item.progress, Math.min(job.progress, 99)),
    is_estimated: job.progress_is === 'estimated',
    position: job.queue_position ?? null,
    eta_s: job.eta_seconds ?? null,
    source: job.source ?? item.source,
    result: (job.result && mainVariant(job.results ?? [])) ?? job.result ?? null,
    results: job.results ?? [],
    archive: job.links?.archive ?? null,
    problem: job.error ?? null,
    duration_s: durationOf(job) ?? item.duration_s,
  });
}

/** A job moves up in the queue without a change of its own: its place changes though `seq` does not. @param {Item} item @param {Job} job */
function updatePosition(item, job) {
  const position = job.queue_position ?? item.position;
  const has_moved = job.seq === item.seq && item.state === 'queued' && position !== item.position;
  return has_moved ? { ...item, position } : item;
}

/** In seconds; null until the job has ended. @param {Job} job */
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
