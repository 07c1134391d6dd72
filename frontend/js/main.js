// @ts-check
/**
 * The upload page, joined: its first view. The reader's events come from `ui`, the gateway's from `net`; `core` decides, `ui` shows. What handles
 * images is `gallery.js`, loaded with the first one.
 */
import { pickLanguage, Words } from './core/language.js';
import { readSettings } from './core/options.js';
import { Api } from './net/api.js';
import { JobUpdates } from './net/job-updates.js';
import { hasFiles, loadValue, loadJobs, loadKey, saveValue, saveKey } from './net/storage.js';
import { find, on } from './ui/dom.js';
import { showConnection, showFacts } from './ui/footer.js';
import { listenToChoices, showChoices } from './ui/header.js';
import { listenToPicker, showPicker } from './ui/picker.js';
import { listenToSettings, showSettings } from './ui/settings.js';
import { loadStyles } from './ui/styles.js';
import { showTexts } from './ui/texts.js';

/** @typedef {import('./core/language.js').Language} Language */

const CATALOGS = { en: () => import('../i18n/en.js'), 'zh-CN': () => import('../i18n/zh-CN.js') };
const UNREACHABLE_MS = 2000;

const key = loadKey();
let theme = String(loadValue('theme') ?? 'system');
let words = await speak(pickLanguage(/** @type {string | null} */ (loadValue('language')), navigator.languages));
/** @type {Promise<import('./gallery.js').Gallery> | undefined} */
let loading;
/** @type {import('./gallery.js').Gallery | undefined} */
let gallery;
let is_shown = false;

const api = new Api(() => ({ language: words.language, key }));
const updates = new JobUpdates(api, {
  onJob: (job) => gallery?.onJob(job),
  onGone: (id) => gallery?.onJobGone(id),
  onMode: showMode,
});

listenToHeader();
const capabilities = await untilCapabilities();
let settings = readSettings(loadValue('settings'), capabilities);
find('key', HTMLElement).hidden = !capabilities.auth || key !== '';
showPage();
listenToSettings(capabilities);
listenToPicker(() => words);
listenToPage();
if (loadJobs().length > 0 || await hasFiles()) await (await loadGallery()).restore();
document.documentElement.dataset.ready = '';
updates.connect(key);

/** @returns {Promise<import('./core/types.js').Capabilities>} */
async function untilCapabilities() {
  for (;;) {
    const answer = await api.capabilities();
    find('unreachable', HTMLElement).hidden = answer.ok || answer.status === 401;
    find('key', HTMLElement).hidden = answer.ok || answer.status !== 401;
    if (answer.ok) return answer.body;
    await new Promise((resolve) => setTimeout(resolve, UNREACHABLE_MS));
  }
}

/** @param {Language} language @returns {Promise<Words>} */
async function speak(language) {
  const spoken = new Words(language, (await CATALOGS[language]()).default);
  showTexts(spoken);
  showChoices(language, theme);
  return spoken;
}

function showPage() {
  is_shown = true;
  showPicker(capabilities, words);
  showSettings(settings, capabilities, words);
  showFacts(capabilities, settings.metadata, words);
  showMode();
}

function showMode() {
  showConnection(navigator.onLine ? updates.mode : 'offline', words);
}

/** Once. */
function loadGallery() {
  loading ??= Promise.all([import('./gallery.js'), loadStyles('summary')]).then(([{ Gallery }]) => {
    gallery = new Gallery({ api, updates, capabilities, words: () => words, settings: () => settings });
    return gallery;
  });
  return loading;
}

function listenToHeader() {
  listenToChoices();
  on('language-chosen', async (/** @type {Language} */ language) => {
    saveValue('language', language);
    words = await speak(language);
    if (is_shown) showPage();
    gallery?.translate();
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

function listenToPage() {
  on('picker-approached', loadGallery);
  on('key-refused', () => { find('key', HTMLElement).hidden = false; });
  on('files-chosen', async (files) => (await loadGallery()).addFiles(files));
  on('url-chosen', async (url) => (await loadGallery()).addUrl(url));
  on('input-refused', async (text) => (await loadGallery()).messages.showError(text));
  on('settings-changed', (changed) => {
    settings = changed;
    saveValue('settings', settings);
    showSettings(settings, capabilities, words);
    showFacts(capabilities, settings.metadata, words);
  });
  for (const name of ['online', 'offline']) addEventListener(name, showMode);
}
