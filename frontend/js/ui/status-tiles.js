// @ts-check
/** The operator's page: each figure as a number, a note and a chart of the last half hour. */
import { Chart } from './chart.js';
import { find, setText } from './dom.js';

/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {{p50: number, p95: number} | null} Latency in seconds */
/** @typedef {{name: string, value: number | null, high: number | null, text: string, note: string, format: (value: number) => string}} Tile */

const LATENCIES = /** @type {const} */ ({ answer: 'status.answer', wait: 'status.wait', encode: 'status.encode', event: 'status.event' });
/** Tile → key of its name. @type {Record<string, string>} */
const TILE_NAMES = { queue: 'status.queue', encoders: 'status.encoders', throughput: 'status.throughput', clients: 'status.clients', ...LATENCIES };

export class StatusTiles {
  constructor() {
    this.charts = new Map(Object.keys(TILE_NAMES).map((name) => [name, new Chart(partOf(name, 'tile-chart'))]));
  }

  /** @param {Record<string, any>} snapshot @param {Record<string, any>[]} samples @param {Words} words */
  show(snapshot, samples, words) {
    for (const tile of tilesOf(snapshot, words)) this.showTile(tile, snapshot.at, samples, words);
  }

  /** @param {Tile} tile @param {number} now_s @param {Record<string, any>[]} samples @param {Words} words */
  showTile({ name, value, high, text, note, format }, now_s, samples, words) {
    setText(partOf(name, 'tile-now'), text);
    setText(partOf(name, 'tile-note'), note);
    const chart = this.charts.get(name);
    if (!chart) return;
    const points = [...samples.map((each) => ({ at: each.at, value: first(each[name]) })), { at: now_s, value }];
    const highs = name in LATENCIES ? [...samples.map((each) => ({ at: each.at, value: each[name]?.[1] ?? null })), { at: now_s, value: high }] : [];
    chart.draw(points, highs, now_s, format);
    chart.nameTimes([words.t('status.ago', { n: 30 }), words.t('status.ago', { n: 15 }), words.t('status.now')]);
    chart.describe(words.t('status.chart', { name: words.t(TILE_NAMES[name]), now: text, most: format(chart.highest) }));
  }
}

/** @param {string} name @param {string} part @returns {Element} */
const partOf = (name, part) => /** @type {Element} */ (find(name, HTMLElement).querySelector(`.${part}`));

/** A figure, or the median of a latency. @param {number | [number, number] | null | undefined} value */
const first = (value) => Array.isArray(value) ? value[0] : value ?? null;

/** @param {Record<string, any>} snapshot @param {Words} words @returns {Tile[]} */
function tilesOf({ queue, encoders, per_minute, clients, latencies }, words) {
  const whole = (/** @type {number} */ value) => words.whole.format(value);
  const kinds = Object.entries(clients).filter(([, count]) => count > 0).map(([kind, count]) => `${kind} ${whole(count)}`);
  const sockets = Object.entries(clients).filter(([kind]) => kind !== 'http').reduce((sum, [, count]) => sum + count, 0);
  const throughput = per_minute && words.t('status.throughput_note', { pixels: words.megapixels(per_minute.pixels), bytes: words.bytes(per_minute.source_bytes) });
  return [
    createTile('queue', queue?.waiting, queue ? words.t('status.queue_note', { oldest: words.duration(queue.oldest_s), limit: queue.limit }) : '', whole),
    createTile('encoders', encoders?.busy, encoders ? words.t('status.encoders_note', { n: encoders.count }) : '', whole),
    createTile('throughput', per_minute?.ended, throughput ?? '', (value) => words.tenth.format(value)),
    createTile('clients', sockets, words.list(kinds) || words.t('status.none'), whole),
    ...Object.keys(LATENCIES).map((name) => latencyTile(name, latencies[name], words)),
  ];
}

/** @param {string} name @param {number | undefined} value @param {string} note @param {(value: number) => string} format @returns {Tile} */
function createTile(name, value, note, format) {
  return { name, value: value ?? null, high: null, text: value === undefined ? '–' : format(value), note, format };
}

/** @param {string} name @param {Latency} latency @param {Words} words @returns {Tile} */
function latencyTile(name, latency, words) {
  const format = (/** @type {number} */ seconds) => latencyText(seconds, words);
  const note = latency ? words.t('status.latency_note', { p95: format(latency.p95) }) : words.t('status.quiet');
  return { ...createTile(name, latency?.p50, note, format), high: latency?.p95 ?? null };
}

/** @param {number} seconds @param {Words} words */
function latencyText(seconds, words) {
  return seconds < 1 ? words.t('status.milliseconds', { n: words.tenth.format(1000 * seconds) }) : words.duration(seconds);
}
