// @ts-check
/** The operator's page, joined. The figures come over Socket.IO once a second. Each is shown as a number, a note and a line chart. */
import { Api } from './net/api.js';
import { connectTo } from './net/job-updates.js';
import { Preferences } from './preferences.js';
import { Chart } from './ui/chart.js';
import { find, setText } from './ui/dom.js';
import { showConnection } from './ui/footer.js';

/** @typedef {{p50: number, p95: number} | null} Latency */
/**
 * @typedef {object} Snapshot the gateway's figures now
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
 * @typedef {{name: string, value: number | null, text: string, note: string, format: (value: number) => string}} Tile
 */

const LATENCIES = /** @type {const} */ ({ answer: 'status.answer', wait: 'status.wait', encode: 'status.encode', event: 'status.event' });
/** Tile → key of its name. @type {Record<string, string>} */
const TILE_NAMES = { queue: 'status.queue', encoders: 'status.encoders', throughput: 'status.throughput', clients: 'status.clients', ...LATENCIES };

/** @type {import('./core/types.js').Mode} */
let mode = 'connecting';
/** @type {Snapshot | null} */
let last = null;
const preferences = await Preferences.load(translate, 'status');
const charts = new Map(Object.keys(TILE_NAMES).map((name) => [name, new Chart(/** @type {Element} */ (find(name, HTMLElement).querySelector('.tile-chart')))]));

showConnection(mode, preferences.words);
const answer = await new Api(() => ({ language: preferences.words.language, key: preferences.key })).capabilities();
if (answer.ok && answer.body.auth && !preferences.key) askForKey();
else await connect();
document.documentElement.dataset.ready = '';

async function connect() {
  const socket = await connectTo(preferences.key);
  socket.on('connect', async () => {
    setMode('live');
    const reply = await socket.emitWithAck('subscribe', { status: true });
    if (reply.ok) show(reply.status);
    else if (reply.error.code === 'unauthorized') askForAnother(socket);
  });
  socket.on('disconnect', () => setMode('connecting'));
  socket.on('connect_error', (/** @type {any} */ error) => error.type ? setMode('connecting') : askForKey());
  socket.on('status', show);
}

function askForKey() {
  find('key', HTMLElement).hidden = false;
}

/** The key is a client's: it may not read the figures. @param {any} socket */
function askForAnother(socket) {
  socket.disconnect();
  find('not-operator', HTMLElement).hidden = false;
  askForKey();
}

/** @param {import('./core/types.js').Mode} now */
function setMode(now) {
  mode = now;
  showConnection(mode, preferences.words);
}

/** The language changed. */
function translate() {
  showConnection(mode, preferences.words);
  if (last) showFigures(last);
}

/** @param {Snapshot} snapshot */
function show(snapshot) {
  last = snapshot;
  for (const { name, value } of tilesOf(snapshot)) charts.get(name)?.add(value ?? 0);
  showFigures(snapshot);
  document.documentElement.dataset.figures = '';
}

/** @param {Snapshot} snapshot */
function showFigures(snapshot) {
  const { words } = preferences;
  const { jobs, redis, totals, version, workers } = snapshot;
  find('no-redis', HTMLElement).hidden = redis;
  for (const tile of tilesOf(snapshot)) showTile(tile);
  for (const row of document.querySelectorAll('[data-job]')) {
    if (row instanceof HTMLElement && row.lastElementChild) setText(row.lastElementChild, jobs ? words.whole.format(jobs[row.dataset.job ?? ''] ?? 0) : '–');
  }
  setText(find('saved', HTMLElement), totals ? words.t('status.saved', { n: totals.created, bytes: words.bytes(totals.saved_bytes) }) : '');
  setText(find('version', HTMLElement), words.t('status.workers', { version, n: workers }));
}

/** @param {Tile} tile */
function showTile({ name, text, note, format }) {
  const { words } = preferences;
  const element = find(name, HTMLElement);
  setText(/** @type {Element} */ (element.querySelector('.tile-now')), text);
  setText(/** @type {Element} */ (element.querySelector('.tile-note')), note);
  const chart = charts.get(name);
  chart?.describe(words.t('status.chart', { name: words.t(TILE_NAMES[name]), now: text, most: format(chart.highest()) }));
}

/** @param {Snapshot} snapshot @returns {Tile[]} */
function tilesOf({ queue, encoders, per_minute, clients, latencies }) {
  const { words } = preferences;
  const whole = (/** @type {number} */ value) => words.whole.format(value);
  const kinds = Object.entries(clients).filter(([, count]) => count > 0).map(([kind, count]) => `${kind} ${whole(count)}`);
  const sockets = Object.entries(clients).filter(([kind]) => kind !== 'http').reduce((sum, [, count]) => sum + count, 0);
  const throughput = per_minute && words.t('status.throughput_note', { pixels: words.megapixels(per_minute.pixels), bytes: words.bytes(per_minute.source_bytes) });
  return [
    createTile('queue', queue?.waiting, queue ? words.t('status.queue_note', { oldest: words.duration(queue.oldest_s), limit: queue.limit }) : '', whole),
    createTile('encoders', encoders?.busy, encoders ? words.t('status.encoders_note', { n: encoders.count }) : '', whole),
    createTile('throughput', per_minute?.ended, throughput ?? '', (value) => words.tenth.format(value)),
    createTile('clients', sockets, words.list(kinds) || words.t('status.none'), whole),
    ...Object.keys(LATENCIES).map((name) => latencyTile(name, latencies[name])),
  ];
}

/** @param {string} name @param {number | undefined} value @param {string} note @param {(value: number) => string} format @returns {Tile} */
function createTile(name, value, note, format) {
  return { name, value: value ?? null, text: value === undefined ? '–' : format(value), note, format };
}

/** @param {string} name @param {Latency} latency */
function latencyTile(name, latency) {
  const { words } = preferences;
  const note = latency ? words.t('status.latency_note', { p95: latencyText(latency.p95) }) : words.t('status.quiet');
  return createTile(name, latency?.p50, note, latencyText);
}

/** @param {number} seconds */
function latencyText(seconds) {
  const { words } = preferences;
  return seconds < 1 ? words.t('status.milliseconds', { n: words.tenth.format(1000 * seconds) }) : words.duration(seconds);
}
