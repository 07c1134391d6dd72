// @ts-check
/**
 * The upload page, joined: its first view. The reader's events come from `ui`, the gateway's from `net`; `core` decides, `ui` shows. What handles
 * images is `gallery.js`, loaded with the first one.
 */
import { isChanged, readSettings } from './core/options.js';
import { ROOT } from './core/root.js';
import { Api } from './net/api.js';
import { JobUpdates } from './net/job-updates.js';
import { startServiceWorker, takeSharedFiles } from './net/shared-files.js';
import { Reachability } from './net/reachability.js';
import { hasFiles, loadJobs, loadValue, saveValue } from './net/storage.js';
import { Preferences } from './preferences.js';
import { find, on } from './ui/dom.js';
import { showConnection, showFacts } from './ui/footer.js';
import { listenToPicker, showPicker } from './ui/picker.js';
import { listenToSettings, showSettings } from './ui/settings.js';
import { loadStyles } from './ui/styles.js';

const RECONNECT_MS = 2000;
/** Whoever adds images may open the settings next; the images go first. */
const PANEL_DELAY_MS = 1000;

/** @type {Promise<import('./gallery.js').Gallery> | undefined} */
let loading;
/** @type {import('./gallery.js').Gallery | undefined} */
let gallery;
/** @type {Promise<import('./settings-panel.js').SettingsPanel> | undefined} */
let panel_loading;
/** @type {import('./settings-panel.js').SettingsPanel | undefined} */
let panel;
/** @type {typeof import('./core/settings-address.js').hashOf | undefined} */
let hashOf;
let has_capabilities = false;

const preferences = await Preferences.load(translate);
const api = new Api(() => ({ language: preferences.words.language, key: preferences.key }));
const updates = new JobUpdates(api, {
  onJob: (job) => gallery?.onJob(job),
  onGone: (id) => gallery?.onJobGone(id),
  onMode: showMode,
});
const reachability = new Reachability({ api, isWaiting: () => updates.mode !== 'live' || Boolean(gallery?.isWaiting()), onChange: showReachable });
const capabilities = await untilCapabilities();
let settings = readSettings(loadValue('settings'), capabilities);
has_capabilities = true;
find('key', HTMLElement).hidden = !capabilities.auth || preferences.key !== '';
await useAddress();
showPage();
listenToPicker(() => preferences.words);
listenToPage();
listenToSettings();
if (loadJobs().length > 0 || await hasFiles()) await (await loadGallery()).restore();
document.documentElement.dataset.ready = '';
const shared = await takeSharedFiles();
if (shared.length > 0) (await loadGallery()).addFiles(shared);
updates.connect(preferences.key);
startServiceWorker();

/** Asks until the gateway answers. @returns {Promise<import('./core/types.js').Capabilities>} */
async function untilCapabilities() {
  for (;;) {
    const answer = await api.capabilities();
    find('unreachable', HTMLElement).hidden = answer.ok || answer.status === 401;
    find('key', HTMLElement).hidden = answer.ok || answer.status !== 401;
    if (answer.ok) return answer.body;
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

/** The language changed. */
function translate() {
  if (has_capabilities) showPage();
  gallery?.translate();
  panel?.translate();
}

function showPage() {
  const { words } = preferences;
  showPicker(capabilities, words);
  showSettings(settings, capabilities, words);
  showFacts(capabilities, settings.metadata, words);
  showMode();
}

function showMode() {
  const shown = reachability.is_answered ? updates.mode : 'connecting';
  const mode = !navigator.onLine ? 'offline' : reachability.is_reachable ? shown : 'unreachable';
  showConnection(mode, preferences.words);
  if (updates.mode === 'connecting') reachability.check();
}

/** @param {boolean} is_reachable */
function showReachable(is_reachable) {
  if (!has_capabilities) return;
  find('unreachable', HTMLElement).hidden = is_reachable || !navigator.onLine;
  gallery?.setReachable(is_reachable);
  showMode();
}

/** Once. */
function loadGallery() {
  loading ??= Promise.all([import('./gallery.js'), preferences.add('images'), loadStyles('list', 'summary')]).then(([{ Gallery }]) => {
    gallery = new Gallery({ api, updates, capabilities, words: () => preferences.words, settings: () => settings, loadTexts: (part) => preferences.add(part) });
    setTimeout(loadPanel, PANEL_DELAY_MS);
    return gallery;
  });
  return loading;
}

/** Once. */
function loadPanel() {
  panel_loading ??= Promise.all([import('./settings-panel.js'), loadGallery(), preferences.add('settings')]).then(async ([{ SettingsPanel }, loaded]) => {
    panel = await SettingsPanel.open({ gallery: loaded, capabilities, words: () => preferences.words, settings: () => settings });
    return panel;
  });
  return panel_loading;
}

/** @param {import('./core/options.js').Settings} changed */
function useSettings(changed) {
  settings = changed;
  showSettings(settings, capabilities, preferences.words);
  showFacts(capabilities, settings.metadata, preferences.words);
  panel?.show();
  showAddress();
}

/** The settings of a link hold for this visit, until something is changed. Without any, the address gets those that are not the defaults. */
async function useAddress() {
  if (!location.hash.includes('=')) {
    showAddress();
    return;
  }
  const { readLink } = await import('./core/settings-address.js');
  const link = readLink(location.hash, capabilities);
  useSettings(link.settings);
  if (link.unknown.length + link.meaningless.length + link.refused.length > 0) loadPanel().then((opened) => opened.tellUnused(link));
}

/** Replaced, so that Back leads where it did. */
async function showAddress() {
  if (!location.hash.includes('=') && !isChanged(settings, capabilities)) return;
  hashOf ??= (await import('./core/settings-address.js')).hashOf;
  history.replaceState(history.state, '', hashOf(settings, capabilities) || location.pathname + location.search);
}

function listenToPage() {
  on('picker-approached', loadGallery);
  on('key-refused', () => { find('key', HTMLElement).hidden = false; });
  on('files-chosen', async (files) => (await loadGallery()).addFiles(files));
  on('url-chosen', async (url) => (await loadGallery()).addUrl(url));
  on('sample-chosen', async (name) => {
    const blob = await api.fetchBlob(`${ROOT}/static/samples/${name}`);
    if (blob) (await loadGallery()).addFiles([new File([blob], name, { type: blob.type })]);
    else (await loadGallery()).messages.showError('drop.sample_failed');
  });
  on('input-refused', async (text) => (await loadGallery()).messages.showError(text));
  on('settings-changed', (changed) => {
    useSettings(changed);
    saveValue('settings', settings);
  });
  on('settings-approached', loadPanel);
  on('settings-opened', async () => (await loadPanel()).estimate());
  addEventListener('hashchange', useAddress);
  for (const name of ['online', 'offline']) addEventListener(name, showMode);
}
