// @ts-check
/**
 * The page, joined: the reader's wishes come up from `ui`, news comes in from `net`, `core` decides, `ui` shows. With `workbench.js`, which it
 * loads once there is an image, the only file that knows all three rooms.
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
let settings = readSettings(loadValue('settings'));
let words = await speak(pickLanguage(/** @type {string | null} */ (loadValue('language')), navigator.languages));
/** @type {Promise<import('./workbench.js').Workbench> | undefined} */
let opening;
/** @type {import('./workbench.js').Workbench | undefined} */
let workbench;
let is_shown = false;

const api = new Api(() => ({ language: words.language, key }));
const live = new JobUpdates(api, {
  onJob: (job) => workbench?.takeJob(job),
  onGone: (id) => workbench?.loseJob(id),
  onMode: showMode,
});

listenToHeader();
const capabilities = await untilCapabilities();
find('key', HTMLElement).hidden = !capabilities.auth || key !== '';
showPage();
listenToSettings();
listenToPicker(() => words);
listenToPage();
if (loadJobs().length > 0 || await hasFiles()) await (await open()).restore();
document.documentElement.dataset.ready = '';
live.connect(key);

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
  showConnection(navigator.onLine ? live.mode : 'offline', words);
}

/** The part that handles images, and the styles that nothing needs before. */
function open() {
  opening ??= Promise.all([import('./workbench.js'), loadStyles('summary')]).then(([part]) => {
    workbench = new part.Workbench({ api, live, capabilities, words: () => words, settings: () => settings });
    return workbench;
  });
  return opening;
}

function listenToHeader() {
  listenToChoices();
  on('language-chosen', async (/** @type {Language} */ language) => {
    saveValue('language', language);
    words = await speak(language);
    if (is_shown) showPage();
    workbench?.showAll();
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
  on('picker-approached', open);
  on('key-refused', () => { find('key', HTMLElement).hidden = false; });
  on('files-chosen', async (files) => (await open()).addFiles(files));
  on('url-chosen', async (url) => (await open()).addUrl(url));
  on('input-refused', async (text) => (await open()).tellTrouble(text));
  on('settings-changed', (values) => {
    settings = readSettings(values);
    saveValue('settings', settings);
    showSettings(settings, capabilities, words);
    showFacts(capabilities, settings.metadata, words);
  });
  for (const name of ['online', 'offline']) addEventListener(name, showMode);
}
