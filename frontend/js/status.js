// @ts-check
/** The operator's page, joined: figures come over Socket.IO once a second, each is shown as a number, a note and a line. */
import { pickLanguage, Words } from './core/language.js';
import { Api } from './net/api.js';
import { connectTo } from './net/job-updates.js';
import { loadValue, loadKey, saveValue, saveKey } from './net/storage.js';
import { Chart } from './ui/chart.js';
import { find, on, setText } from './ui/dom.js';
import { showConnection } from './ui/footer.js';
import { listenToChoices, showChoices } from './ui/header.js';
import { showTexts } from './ui/texts.js';

/** @typedef {import('./core/language.js').Language} Language */
/** @typedef {{p50: number, p95: number} | null} Latency */
/**
 * @typedef {object} Seen what the gateway says of itself
 * @property {string} version
 * @property {boolean} redis
 * @property {number} workers
 * @property {Record<string, Latency>} latencies in seconds
 * @property {Record<string, number>} clients by kind of connection
 * @property {Record<string, number>} [jobs]
 * @property {{waiting: number, limit: number, oldest_s: number}} [queue]
 * @property {{count: number, busy: number}} [encoders]
 * @property {Record<'ended' | 'pixels' | 'source_bytes' | 'result_bytes', number>} [per_minute]
 * @property {Record<'created' | 'source_bytes' | 'saved_bytes', number>} [totals]
 * @typedef {{name: string, value: number | null, now: string, note: string, show: (value: number) => string}} Tile
 */

const CATALOGS = {
  en: () => Promise.all([import('../i18n/en.js'), import('../i18n/status-en.js')]),
  'zh-CN': () => Promise.all([import('../i18n/zh-CN.js'), import('../i18n/status-zh-CN.js')]),
};
const LATENCIES = /** @type {const} */ ({ answer: 'status.answer', wait: 'status.wait', encode: 'status.encode', event: 'status.event' });
const NAMES = /** @type {Record<string, string>} */ ({ queue: 'status.queue', encoders: 'status.encoders', pace: 'status.pace', clients: 'status.clients', ...LATENCIES });

const key = loadKey();
let theme = String(loadValue('theme') ?? 'system');
/** @type {import('./core/types.js').Mode} */
let mode = 'connecting';
/** @type {Seen | null} */
let last = null;
let words = await speak(pickLanguage(/** @type {string | null} */ (loadValue('language')), navigator.languages));
const charts = new Map(Object.keys(NAMES).map((name) => [name, new Chart(/** @type {Element} */ (find(name, HTMLElement).querySelector('.tile-chart')))]));

listenToHeader();
const answer = await new Api(() => ({ language: words.language, key })).capabilities();
if (answer.ok && answer.body.auth && !key) askForKey();
else await connect();
document.documentElement.dataset.ready = '';

async function connect() {
  const socket = await connectTo(key);
  socket.on('connect', async () => {
    setMode('live');
    const said = await socket.emitWithAck('subscribe', { status: true });
    if (said.ok) show(said.status);
  });
  socket.on('disconnect', () => setMode('connecting'));
  socket.on('connect_error', (/** @type {any} */ error) => error.type ? setMode('connecting') : askForKey());
  socket.on('status', show);
}

function askForKey() {
  find('key', HTMLElement).hidden = false;
}

/** @param {import('./core/types.js').Mode} now */
function setMode(now) {
  mode = now;
  showConnection(mode, words);
}

/** @param {Language} language @returns {Promise<Words>} */
async function speak(language) {
  const [page, status] = await CATALOGS[language]();
  const spoken = new Words(language, { ...page.default, ...status.default });
  showTexts(spoken);
  showChoices(language, theme);
  showConnection(mode, spoken);
  return spoken;
}

function listenToHeader() {
  listenToChoices();
  on('language-chosen', async (/** @type {Language} */ language) => {
    saveValue('language', language);
    words = await speak(language);
    if (last) showFigures(last);
  });
  on('theme-chosen', (/** @type {string} */ name) => {
    theme = name;
    saveValue('theme', name);
    showChoices(words.language, name);
  });
  find('key', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    saveKey(String(new FormData(find('key', HTMLFormElement)).get('key')));
    location.reload();
  });
}

/** @param {Seen} seen */
function show(seen) {
  last = seen;
  for (const { name, value } of tilesOf(seen)) charts.get(name)?.add(value ?? 0);
  showFigures(seen);
  document.documentElement.dataset.seen = '';
}

/** @param {Seen} seen */
function showFigures(seen) {
  find('no-redis', HTMLElement).hidden = seen.redis;
  for (const tile of tilesOf(seen)) showTile(tile);
  for (const row of document.querySelectorAll('[data-job]')) {
    if (row instanceof HTMLElement && row.lastElementChild) setText(row.lastElementChild, seen.jobs ? words.whole.format(seen.jobs[row.dataset.job ?? ''] ?? 0) : '–');
  }
  setText(find('saved', HTMLElement), seen.totals ? words.t('status.saved', { n: seen.totals.created, bytes: words.bytes(seen.totals.saved_bytes) }) : '');
  setText(find('version', HTMLElement), words.t('status.workers', { version: seen.version, n: seen.workers }));
}

/** @param {Tile} tile */
function showTile({ name, now, note, show: shown }) {
  const element = find(name, HTMLElement);
  setText(/** @type {Element} */ (element.querySelector('.tile-now')), now);
  setText(/** @type {Element} */ (element.querySelector('.tile-note')), note);
  const chart = charts.get(name);
  chart?.describe(words.t('status.chart', { name: words.t(NAMES[name]), now, most: shown(chart.highest()) }));
}

/** @param {Seen} seen @returns {Tile[]} */
function tilesOf({ queue, encoders, per_minute, clients, latencies }) {
  const whole = (/** @type {number} */ value) => words.whole.format(value);
  const sum = Object.entries(clients).reduce((all, [kind, each]) => kind === 'http' ? all : all + each, 0);
  const kinds = Object.entries(clients).filter(([, count]) => count > 0).map(([kind, count]) => `${kind} ${whole(count)}`);
  const pace = per_minute && words.t('status.pace_note', { pixels: words.megapixels(per_minute.pixels), bytes: words.bytes(per_minute.source_bytes) });
  return [
    tile('queue', queue?.waiting, queue ? words.t('status.queue_note', { oldest: words.duration(queue.oldest_s), limit: queue.limit }) : '', whole),
    tile('encoders', encoders?.busy, encoders ? words.t('status.encoders_note', { n: encoders.count }) : '', whole),
    tile('pace', per_minute?.ended, pace ?? '', (value) => words.tenth.format(value)),
    tile('clients', sum, words.t('status.clients_note', { kinds: words.list(kinds) || words.t('status.none') }), whole),
    ...Object.keys(LATENCIES).map((name) => latencyTile(name, latencies[name])),
  ];
}

/** @param {string} name @param {number | undefined} value @param {string} note @param {(value: number) => string} shown @returns {Tile} */
function tile(name, value, note, shown) {
  return { name, value: value ?? null, now: value === undefined ? '–' : shown(value), note, show: shown };
}

/** @param {string} name @param {Latency} latency */
function latencyTile(name, latency) {
  const note = latency ? words.t('status.latency_note', { p95: time(latency.p95) }) : words.t('status.quiet');
  return tile(name, latency?.p50, note, time);
}

/** @param {number} seconds */
function time(seconds) {
  return seconds < 1 ? words.t('status.milliseconds', { n: words.tenth.format(1000 * seconds) }) : words.duration(seconds);
}
