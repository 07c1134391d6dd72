// @ts-check
/** The operator's page: jobs, errors by code, disk, memory, sandbox and versions. */
import { growthOf } from '../core/growth.js';
import { ROOT } from '../core/root.js';
import { el, find, setAttribute, setProperty, setText } from './dom.js';

/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {Record<string, any>} Figures */

const SHOWN_CODES = 8;
const FULL_SEAL = 3;
/** States whose jobs are counted for ever; the others are those of now. */
const ENDED = ['succeeded', 'failed', 'cancelled'];

export class StatusPanels {
  /** @param {Figures} now @param {Figures[]} samples @param {Words} words */
  show(now, samples, words) {
    showJobs(now, words);
    showErrors([...samples, ...(now.failed ? [now] : [])], words);
    showDisk(now.disk, words);
    showMemory(now.memory, words);
    showSeal(now.seal, words);
    showHosts(now.hosts ?? [], words);
    showVersions(now.versions);
    showWarnings(now.redis_warnings);
    setText(text('version'), words.t('status.workers', { version: now.version, n: now.workers }));
  }
}

/** @param {string} id */
const text = (id) => find(id, HTMLElement);

/** @param {Figures} now @param {Words} words */
function showJobs({ jobs, totals }, words) {
  for (const row of document.querySelectorAll('[data-job]')) {
    const state = row.getAttribute('data-job') ?? '';
    const count = ENDED.includes(state) ? totals?.[state] : jobs?.[state];
    if (row.lastElementChild) setText(row.lastElementChild, count === undefined ? '–' : words.whole.format(count));
  }
  setText(text('saved'), totals ? words.t('status.saved', { n: totals.succeeded, bytes: words.bytes(totals.saved_bytes) }) : '');
}

/** What the half hour brought, by code: requests that were refused, jobs that failed. @param {Figures[]} steps @param {Words} words */
function showErrors(steps, words) {
  const refused = growthOf(steps.map((each) => each.refused ?? {}));
  const failed = growthOf(steps.map((each) => each.failed ?? {}));
  const sum = (/** @type {string} */ code) => (refused[code] ?? 0) + (failed[code] ?? 0);
  const codes = [...new Set([...Object.keys(refused), ...Object.keys(failed)])].sort((one, other) => sum(other) - sum(one) || one.localeCompare(other)).slice(0, SHOWN_CODES);
  text('no-errors').hidden = codes.length > 0;
  text('errors').hidden = codes.length === 0;
  const number = (/** @type {number | undefined} */ count) => count ? words.whole.format(count) : '–';
  fill('errors', codes.map((code) => [code, number(refused[code]), number(failed[code])]), (code) => el('a', { href: `${ROOT}/problems/${code}` }, el('code', {}, code)));
}

/** @param {Figures | null} disk @param {Words} words */
function showDisk(disk, words) {
  setText(text('disk-free'), disk ? words.bytes(disk.free_bytes) : '–');
  setText(text('disk-note'), disk ? words.t('status.disk_note', { total: words.bytes(disk.total_bytes) }) : '');
  setText(text('disk-data'), disk?.data_bytes === undefined ? '–' : words.bytes(disk.data_bytes));
  setText(text('store'), disk?.store ?? '–');
  const used = disk ? 1 - disk.free_bytes / disk.total_bytes : 0;
  setProperty(text('disk-gauge'), '--value', String(used));
  setAttribute(text('disk-gauge'), 'aria-label', words.t('status.disk_used', { percent: words.percent(100 * used) }));
}

/** @param {Figures} memory @param {Words} words */
function showMemory({ workers, encoders, redis, redis_limit }, words) {
  setText(text('memory-workers'), words.bytes(workers));
  setText(text('memory-encoders'), encoders === undefined ? '–' : words.bytes(encoders));
  const used = redis === undefined ? '–' : words.bytes(redis);
  setText(text('memory-redis'), redis_limit ? words.t('figure.of', { part: used, whole: words.bytes(redis_limit) }) : used);
}

/** @param {Figures | null | undefined} seal @param {Words} words */
function showSeal(seal, words) {
  if (!seal) {
    setText(text('seal'), '–');
    setText(text('seal-note'), words.t('status.seal_unknown'));
    return;
  }
  setText(text('seal'), words.t(seal.level >= FULL_SEAL ? 'status.seal_full' : seal.level > 0 ? 'status.seal_part' : 'status.seal_none'));
  const parts = Object.entries(seal).filter(([name, value]) => name !== 'level' && ['string', 'number', 'boolean'].includes(typeof value)).map(([name, value]) => value === true ? name : `${name} ${value === false ? '–' : value}`);
  setText(text('seal-note'), words.t('status.seal_note', { level: seal.level, full: FULL_SEAL, parts: words.list(parts) }));
}

/** Every machine whose processes announce themselves. @param {Figures[]} hosts @param {Words} words */
function showHosts(hosts, words) {
  const number = (/** @type {number | null} */ count) => count === null ? '–' : words.whole.format(count);
  const range = (/** @type {number[]} */ [oldest, newest]) => oldest === newest ? `${oldest}` : `${oldest}–${newest}`;
  fill('hosts', hosts.map((each) => [each.host, number(each.cores), number(each.encoders), number(each.jobs), number(each.gateways), number(each.seal), words.list(each.versions) || '–', range(each.protocol)]), (name) => name);
}

/** @param {Record<string, string>} versions */
function showVersions(versions) {
  const list = text('versions');
  const said = JSON.stringify(versions);
  if (list.dataset.said === said) return;
  list.dataset.said = said;
  list.replaceChildren(...Object.entries(versions).map(([name, version]) => el('div', {}, el('dt', {}, name), el('dd', {}, version))));
}

/** What of the Redis server will not do, in the page's language. @param {Record<string, string>[] | undefined} warnings */
function showWarnings(warnings = []) {
  const list = text('redis-warnings');
  const said = JSON.stringify([document.documentElement.lang, warnings]);
  if (list.dataset.said === said) return;
  list.dataset.said = said;
  list.replaceChildren(...warnings.map((each) => el('p', { class: 'tile-note' }, each[document.documentElement.lang] ?? each.en)));
}

/** The rows of a table, made anew only where they changed. @param {string} id @param {string[][]} rows @param {(name: string) => Node | string} head */
function fill(id, rows, head) {
  const table = text(id);
  const said = JSON.stringify(rows);
  if (table.dataset.rows === said) return;
  table.dataset.rows = said;
  table.querySelector('tbody')?.replaceChildren(...rows.map(([name, ...cells]) => el('tr', {}, el('th', { scope: 'row' }, head(name)), ...cells.map((cell) => el('td', {}, cell)))));
}
