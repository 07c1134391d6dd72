// @ts-check
/** The operator's page, joined: the figures of now and of the last half hour, shown as numbers, charts and tables. */
import { Api } from './net/api.js';
import { Preferences } from './preferences.js';
import { StatusFeed } from './status-feed.js';
import { SPAN_S } from './ui/chart.js';
import { find, setText } from './ui/dom.js';
import { showConnection } from './ui/footer.js';
import { StatusPanels } from './ui/status-panels.js';
import { StatusTiles } from './ui/status-tiles.js';

/** @typedef {import('./status-feed.js').Snapshot} Snapshot */
/** @typedef {Record<string, any>} Sample the figures of one moment, without what only the present has */

/** Figures come once a second. After so long without any, the gateway does not answer. */
const SILENCE_MS = 5000;
const LOOK_EVERY_MS = 1000;

/** @type {import('./core/types.js').Mode} */
let mode = 'connecting';
/** @type {Snapshot | null} */
let last = null;
/** @type {Sample[]} */
let samples = [];
let heard_ms = Date.now();
let is_paused = false;
const preferences = await Preferences.load(translate, 'status');
const tiles = new StatusTiles();
const panels = new StatusPanels();
const feed = new StatusFeed({ onFigures, onConnection, onKeyRefused });

translate();
find('pause', HTMLButtonElement).addEventListener('click', togglePause);
setInterval(lookForSilence, LOOK_EVERY_MS);
const answer = await new Api(() => ({ language: preferences.words.language, key: preferences.key })).capabilities();
if (answer.ok && answer.body.auth && !preferences.key) askForKey();
else await feed.connect(preferences.key);
document.documentElement.dataset.ready = '';

/** @param {Snapshot} snapshot @param {boolean} is_first with the whole history */
function onFigures(snapshot, is_first) {
  last = snapshot;
  heard_ms = Date.now();
  samples = [...(is_first ? [] : samples), ...(snapshot.history ?? [])].filter(({ at }) => at > snapshot.at - SPAN_S);
  lookForSilence();
  if (!is_paused) show();
  document.documentElement.dataset.figures = '';
}

/** @param {boolean} is_live */
function onConnection(is_live) {
  mode = is_live ? 'live' : 'connecting';
  showConnection(mode, preferences.words);
}

/** @param {boolean} is_client */
function onKeyRefused(is_client) {
  find('not-operator', HTMLElement).hidden = !is_client;
  askForKey();
}

function askForKey() {
  find('key', HTMLElement).hidden = false;
}

function lookForSilence() {
  const is_silent = Date.now() - heard_ms > SILENCE_MS && find('key', HTMLElement).hidden === true;
  find('silent', HTMLElement).hidden = !is_silent;
  document.documentElement.toggleAttribute('data-silent', is_silent);
}

function togglePause() {
  is_paused = !is_paused;
  find('pause', HTMLButtonElement).setAttribute('aria-pressed', String(is_paused));
  show();
}

/** The language changed. */
function translate() {
  showConnection(mode, preferences.words);
  show();
}

function show() {
  const { words } = preferences;
  setText(find('pause', HTMLButtonElement), words.t(is_paused ? 'status.resume' : 'status.pause'));
  if (!last) return;
  const time = new Intl.DateTimeFormat(words.language, { timeStyle: 'medium' }).format(last.at * 1000);
  setText(find('when', HTMLElement), words.t(is_paused ? 'status.paused' : 'status.when', { time }));
  find('no-redis', HTMLElement).hidden = last.redis;
  tiles.show(last, samples, words);
  panels.show(last, samples, words);
}
