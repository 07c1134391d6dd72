// @ts-check
/**
 * The list of images, joined: loaded with the first image, so that the first view stays light. Facts come in from `net`, `core` says what
 * becomes of an item, `ui` shows it; wishes about items and about the whole batch come up from `ui` and are granted here.
 */
import { totalsOf } from './core/batch.js';
import { isSystemFile, problemOfFile } from './core/file-checks.js';
import { advance, createItem } from './core/item.js';
import { updateEta, secondsLeft, startEta } from './core/eta.js';
import { NOTHING_ANNOUNCED, completionText, failureText, nextAnnouncement } from './core/announcements.js';
import { queryOf, settingsOf } from './core/options.js';
import { sentenceOf } from './core/problem.js';
import { canPause, isFinal, isSending } from './core/states.js';
import { resultName } from './core/status-text.js';
import { resultPath, sourcePath } from './net/api.js';
import { Uploader } from './net/uploader.js';
import { Digests } from './net/digests.js';
import { LARGEST_STORED_FILE_BYTES, deleteFile, saveFile, loadFiles, loadJobs, loadUploads, saveJobs, saveUploads } from './net/storage.js';
import { Announcer } from './ui/announcer.js';
import { BackgroundProgress } from './ui/background-progress.js';
import { on, emit } from './ui/dom.js';
import { compactPicker } from './ui/picker.js';
import { List } from './ui/list.js';
import { showApply } from './ui/settings.js';
import { Summary } from './ui/summary.js';
import { drawThumbnail } from './ui/thumbnail.js';
import { showToast } from './ui/toasts.js';

/** @typedef {import('./core/types.js').Item} Item */
/** @typedef {import('./core/item.js').Fact} Fact */
/** @typedef {import('./core/language.js').Words} Words */
/**
 * @typedef {object} Surroundings what the first view lends
 * @property {import('./net/api.js').Api} api
 * @property {import('./net/job-updates.js').JobUpdates} live
 * @property {import('./core/types.js').Capabilities} capabilities
 * @property {() => Words} words
 * @property {() => import('./core/options.js').Settings} settings
 */

const SUMMARY_GAP_MS = 250;
const TICK_MS = 1000;
const REMEMBERING_MS = 300;
/** So many may be stopped without asking. */
const MANY = 3;

export class Workbench {
  /** @param {Surroundings} surroundings */
  constructor({ api, live, capabilities, words, settings }) {
    this.api = api;
    this.live = live;
    this.capabilities = capabilities;
    this.words = words;
    this.settings = settings;
    /** @type {Map<string, Item>} */
    this.items = new Map();
    /** Job → its item, for news that arrive by job. @type {Map<string, string>} */
    this.owners = new Map();
    /** Items that were removed and may still come back. @type {Map<string, Item>} */
    this.leaving = new Map();
    /** Small pictures by item. @type {Map<string, string>} */
    this.pictures = new Map();
    /** Items whose bytes survive a reload. @type {Set<string>} */
    this.kept = new Set();
    /** @type {{name: string, why: string}[]} */
    this.failures = [];
    this.said = NOTHING_ANNOUNCED;
    this.meter = startEta(Date.now());
    this.is_summary_due = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.remembering = undefined;
    this.uploader = new Uploader({
      api, live, list: () => this.items.values(), read: (id) => this.items.get(id), tell: (id, fact) => this.tell(id, fact),
      own: (id, job) => this.owners.set(job, id), explain: (id, problem) => this.tellProblem(id, problem), origin: (item) => this.origin(item), can_resume: () => capabilities.features?.includes('tus') ?? false,
    });
    this.digests = new Digests();
    this.announcer = new Announcer();
    this.list = new List(() => ({ capabilities, words: words() }));
    this.summary = new Summary();
    this.attention = new BackgroundProgress();
    this.listenToItems();
    this.listenToBatch();
    this.listenToWorld();
    setInterval(() => this.tick(), TICK_MS);
  }

  // ── facts ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {string} id @param {Fact} fact */
  tell(id, fact) {
    const before = this.items.get(id);
    if (!before) return;
    const item = advance(before, fact);
    if (item === before) return;
    this.items.set(id, item);
    this.list.update(item);
    this.scheduleSummary();
    if (item.job !== before.job) this.takeOwnership(item);
    if (item.upload !== before.upload || (item.state === 'paused') !== (before.state === 'paused')) this.rememberUploads();
    if (item.state !== before.state) this.changeState(item);
  }

  /** The gateway has it: from here on its copy counts. @param {Item} item */
  takeOwnership(item) {
    if (item.job) this.owners.set(item.job, item.id);
    if (this.kept.delete(item.id)) deleteFile(item.id);
    this.rememberAll();
  }

  /** So that a reload goes on with them. */
  rememberUploads() {
    const begun = [...this.items.values()].filter((item) => !item.job && !isFinal(item.state) && (item.upload || item.state === 'paused'));
    saveUploads(Object.fromEntries(begun.map(({ id, upload, state }) => [id, { upload: upload ?? '', is_paused: state === 'paused' }])));
  }

  /** The job on the gateway that was made of the very same bytes, so that they need not be sent again. @param {Item} item */
  async origin(item) {
    if (!this.capabilities.features?.includes('retry')) return null;
    const twins = [...this.items.values()].filter((each) => each.id !== item.id && each.bytes === item.bytes && each.state === 'done' && each.job);
    for (const twin of twins) {
      const is_same = await this.digests.areSame(this.uploader.files.get(item.id), this.uploader.files.get(twin.id));
      if (is_same && this.items.get(twin.id)?.state === 'done') return twin.job;
    }
    return null;
  }

  /** @param {Item} item */
  changeState(item) {
    const needs_picture = item.state === 'done' && item.job && !this.pictures.has(item.id) && !this.capabilities.auth;
    if (needs_picture && item.job) this.list.showPicture(item.id, resultPath(item.job));
    if (item.state === 'failed') this.noteFailure(item);
    if (item.state === 'failed' && item.problem?.code === 'unauthorized') emit(document, 'key-refused');
    if (isFinal(item.state)) this.rememberAll();
    this.uploader.turn();
  }

  /** @param {Item} item */
  noteFailure(item) {
    if (item.problem) this.failures.push({ name: item.name, why: sentenceOf(item.problem, item, this.capabilities, this.words()) });
  }

  /** @param {import('./core/types.js').Job} job */
  takeJob(job) {
    const id = this.owners.get(job.id);
    if (id) this.uploader.see(id, job);
  }

  /** @param {string} job that the server no longer has */
  loseJob(job) {
    this.live.forget(job);
    const item = this.items.get(this.owners.get(job) ?? '');
    if (!item) return;
    const was_only_remembered = item.state === 'verifying' && !item.has_file;
    if (was_only_remembered) this.forget(item);
    else this.tell(item.id, { type: 'vanished', at_ms: Date.now() });
  }

  // ── files in and out ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {File[]} chosen */
  addFiles(chosen) {
    const files = chosen.filter((file) => !isSystemFile(file.name));
    const refused = files.map((file) => this.addFile(file)).filter((item) => item.state === 'invalid');
    const values = { n: files.length - refused.length, m: refused.length };
    if (files.length > 0) this.announcer.say(this.words().t(refused.length > 0 ? 'news.added_refused' : 'news.added', values));
    for (const item of refused) this.noteFailure(item);
    this.uploader.turn();
  }

  /** @param {File} file @returns {Item} */
  addFile(file) {
    const problem = problemOfFile(file, this.capabilities);
    const item = createItem({
      id: newId(), key: newId(), name: file.name, bytes: file.size, type: file.type, options: queryOf(this.settings(), this.capabilities),
      state: problem ? 'invalid' : 'waiting', problem, has_file: !problem,
    });
    this.addItem(item);
    if (problem) return item;
    this.loadFile(item, file);
    this.keep(item, file);
    return item;
  }

  /** @param {string} url */
  addUrl(url) {
    const name = nameOf(new URL(url));
    this.addItem(createItem({ id: newId(), key: newId(), name, bytes: 0, url, has_file: false, options: queryOf(this.settings(), this.capabilities) }));
    this.announcer.say(this.words().t('news.added', { n: 1 }));
    this.uploader.turn();
  }

  /** @param {Item} item */
  addItem(item) {
    this.items.set(item.id, item);
    if (item.job) this.owners.set(item.job, item.id);
    this.list.add(item);
    const picture = this.pictures.get(item.id);
    if (picture) this.list.showPicture(item.id, picture);
    this.scheduleSummary();
  }

  /** @param {Item} item @param {Blob} file */
  async loadFile(item, file) {
    this.uploader.load(item.id, file);
    const picture = await drawThumbnail(file);
    if (!picture || !this.items.has(item.id)) return;
    this.pictures.set(item.id, picture);
    this.list.showPicture(item.id, picture);
    this.rememberAll();
  }

  /** Bytes that the gateway does not have yet survive a reload. @param {Item} item @param {File} file */
  async keep(item, file) {
    if (file.size > LARGEST_STORED_FILE_BYTES) return;
    await saveFile({ id: item.id, key: item.key, name: item.name, type: item.type, options: item.options, file });
    const is_needed = this.items.has(item.id) && !this.items.get(item.id)?.job;
    if (is_needed) this.kept.add(item.id);
    else deleteFile(item.id);
  }

  /** What an earlier visit left: jobs are taken up where they are, files not yet taken by the gateway are sent. */
  async restore() {
    for (const { job, name, bytes, type, options, picture } of loadJobs()) {
      const item = createItem({ id: newId(), name, bytes, type, options, job, has_file: false, state: 'verifying', sent_bytes: bytes });
      if (picture) this.pictures.set(item.id, picture);
      this.addItem(item);
      this.live.follow(job, item.seq);
    }
    const uploads = loadUploads();
    for (const { id, key, name, type, options, file } of await loadFiles()) {
      const { upload, is_paused } = uploads[id] ?? { upload: '', is_paused: false };
      const item = createItem({ id, key, name, type, options, bytes: file.size, upload: upload || null, state: is_paused ? 'paused' : 'waiting' });
      this.kept.add(id);
      this.addItem(item);
      this.loadFile(item, file);
    }
    this.uploader.turn();
  }

  /** Soon, and once for many changes: with pictures, a large list is half a megabyte. */
  rememberAll() {
    this.remembering ??= setTimeout(() => this.rememberNow(), REMEMBERING_MS);
  }

  rememberNow() {
    clearTimeout(this.remembering);
    this.remembering = undefined;
    const known = [...this.items.values()].filter((item) => item.job && item.state !== 'cancelled' && item.state !== 'expired');
    saveJobs(known.map(({ id, job, name, bytes, type, options }) => ({ job: job ?? '', name, bytes, type, options, picture: this.pictures.get(id) ?? '' })));
  }

  /** Take items off the list; the server's copies go when the time for Undo is over. @param {Item[]} gone @param {string} text */
  remove(gone, text) {
    for (const item of gone) {
      this.leaving.set(item.id, item);
      this.hide(item);
    }
    this.rememberAll();
    showToast(text, this.words(), {
      onUndo: () => gone.forEach((item) => this.leaving.delete(item.id) && this.addItem(item)),
      onEnd: () => gone.forEach((item) => this.erase(item)),
    });
  }

  /** @param {Item} item */
  hide(item) {
    this.items.delete(item.id);
    this.list.remove(item.id);
    this.scheduleSummary();
  }

  /** @param {Item} item */
  erase(item) {
    if (!this.leaving.delete(item.id)) return;
    this.uploader.unload(item.id);
    this.pictures.delete(item.id);
    if (this.kept.delete(item.id)) deleteFile(item.id);
    if (!item.job) return;
    this.owners.delete(item.job);
    this.api.erase(item.job);
  }

  /** What the server no longer has. @param {Item} item */
  forget(item) {
    this.hide(item);
    this.pictures.delete(item.id);
    this.rememberAll();
  }

  /** @param {Item} item */
  canApplyTo(item) {
    return item.state === 'done' && (item.has_file || (this.capabilities.features?.includes('retry') ?? false));
  }

  /** With settings of its own. @param {Item} item */
  async askAndConvert(item) {
    const { askForSettings } = await import('./ui/file-settings.js');
    const chosen = await askForSettings({ name: item.name, settings: settingsOf(item.options), capabilities: this.capabilities }, this.words());
    const now = this.items.get(item.id);
    if (chosen && now) this.convertAgain(now, chosen);
  }

  /** From the server's copy where it has one, else from the file. @param {Item} item @param {import('./core/options.js').Settings} [settings] */
  convertAgain(item, settings = this.settings()) {
    const has_copy = this.capabilities.features?.includes('retry') && item.job !== null && item.state !== 'expired';
    if (!has_copy && !item.has_file && !item.url) return;
    const options = queryOf(settings, this.capabilities);
    this.tell(item.id, { type: 'restarted', key: newId(), options, origin: has_copy ? item.job : null, at_ms: Date.now() });
  }

  // ── the whole ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everything anew: the language changed. */
  async showAll() {
    this.list.updateAll(this.items.values());
    this.showSummary();
    for (const item of this.items.values()) if (item.state === 'failed' && item.job) this.uploader.explain(item.id, item.job);
  }

  scheduleSummary() {
    if (this.is_summary_due) return;
    this.is_summary_due = true;
    setTimeout(() => this.showSummary(), SUMMARY_GAP_MS);
  }

  showSummary() {
    this.is_summary_due = false;
    const words = this.words();
    const totals = totalsOf(this.items.values());
    const is_fresh = totals.running === 0 || totals.weight_done < this.meter.count;
    this.meter = is_fresh ? startEta(Date.now(), totals.weight_done) : updateEta(this.meter, totals.weight_done, totals.weight, Date.now());
    this.summary.update(totals, secondsLeft(this.meter), words);
    this.summary.offerNote(totals.running > 0 && this.attention.canOffer(), words);
    this.attention.update(totals, words, completionText(totals, words));
    compactPicker(this.items.size > 0);
    showApply([...this.items.values()].filter((item) => this.canApplyTo(item)).length, words);
    document.title = totals.running > 0 ? words.t('page.title_running', { percent: words.percent(totals.percent) }) : words.t('page.title');
    this.sayNews(totals);
  }

  /** @param {import('./core/batch.js').Totals} totals */
  sayNews(totals) {
    const news = nextAnnouncement(this.said, totals, this.words());
    this.said = news.said;
    this.announcer.say(news.text);
    if (this.announcer.hasAlert()) return;
    this.announcer.alert(failureText(this.failures, this.words()));
    this.failures = [];
  }

  /** The figures that change by themselves: the seconds until another try, the time left. */
  tick() {
    for (const item of this.items.values()) if (item.state === 'retrying') this.list.update(item);
    if (this.items.size > 0) this.scheduleSummary();
  }

  async saveAll() {
    const { packZip } = await import('./net/zip.js');
    const { saveBlob } = await import('./ui/save.js');
    const done = [...this.items.values()].filter((item) => item.state === 'done' && item.result);
    const files = done.map((item) => ({ name: resultName(item.name), path: item.result?.url ?? '' }));
    const zip = await packZip(files, this.api, (share) => this.showPacking(Math.floor(100 * share)));
    this.showPacking(null);
    if (zip) saveBlob(zip, 'webp.zip');
    else this.tellTrouble('summary.zip_failed');
  }

  /** @param {number | null} percent */
  showPacking(percent) {
    this.summary.packed_percent = percent;
    this.showSummary();
  }

  async cancelAll() {
    const running = [...this.items.values()].filter((item) => !isFinal(item.state));
    if (running.length > MANY && !await this.isSure(running.length)) return;
    for (const { id } of running) this.uploader.cancel(id);
  }

  /** @param {number} n */
  async isSure(n) {
    const { askToConfirm } = await import('./ui/confirmation.js');
    const words = this.words();
    return askToConfirm({ title: words.t('confirm.cancel', { n }), text: words.t('confirm.cancel_text'), yes: words.t('confirm.yes'), no: words.t('confirm.no') });
  }

  /** @param {Item} item */
  async compare(item) {
    if (!item.job || !item.result) return;
    const { openComparison } = await import('./ui/compare.js');
    const bytesOf = (/** @type {string} */ path) => this.capabilities.auth ? this.api.blob(path) : path;
    const before = this.uploader.files.get(item.id) ?? await bytesOf(sourcePath(item.job));
    openComparison({ item, before, after: await bytesOf(item.result.url) }, this.words());
  }

  /** @param {Item} item */
  async copyLink(item) {
    const link = new URL(item.result?.url ?? '', location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      showToast(this.words().t('row.copied'), this.words());
      this.announcer.say(this.words().t('row.copied'));
    } catch {
      showToast(this.words().t('row.copy_failed', { link }), this.words());
    }
  }

  /** @param {Item} item */
  async save(item) {
    const { saveBlob } = await import('./ui/save.js');
    const blob = await this.api.blob(item.result?.url ?? '');
    if (blob) saveBlob(blob, resultName(item.name));
    else this.uploader.check(item.id);
  }

  /** @param {string} id @param {import('./core/types.js').Problem} problem */
  tellProblem(id, problem) {
    const item = this.items.get(id);
    if (!item) return;
    const words = this.words();
    const text = words.t('news.failure', { name: item.name, why: sentenceOf(problem, item, this.capabilities, words) });
    showToast(text, words);
    this.announcer.alert(text);
  }

  /** @param {string} key of a text */
  tellTrouble(key) {
    showToast(this.words().t(key), this.words());
    this.announcer.alert(this.words().t(key));
  }

  // ── wishes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  listenToItems() {
    const onItem = (/** @type {string} */ name, /** @type {(item: Item) => void} */ act) => on(name, (id) => {
      const item = this.items.get(id);
      if (item) act(item);
    });
    onItem('cancel-item', (item) => this.uploader.cancel(item.id));
    onItem('pause-item', (item) => this.uploader.pause(item.id));
    for (const name of ['now-item', 'resume-item']) onItem(name, (item) => this.uploader.resume(item.id));
    onItem('retry-item', (item) => this.convertAgain(item));
    onItem('again-item', (item) => this.askAndConvert(item));
    onItem('compare-item', (item) => this.compare(item));
    onItem('copy-item', (item) => this.copyLink(item));
    onItem('save-item', (item) => this.save(item));
    onItem('download-item', (item) => this.uploader.check(item.id));
    onItem('remove-item', (item) => this.remove([item], this.words().t('toast.removed', { name: item.name })));
  }

  listenToBatch() {
    on('apply-settings', () => [...this.items.values()].filter((item) => this.canApplyTo(item)).forEach((item) => this.convertAgain(item)));
    on('notify-when-done', async () => showToast(this.words().t(await this.attention.want() ? 'summary.note_coming' : 'summary.note_refused'), this.words()));
    on('cancel-all', () => this.cancelAll());
    on('pause-all', () => [...this.items.values()].filter((item) => canPause(item.state)).forEach((item) => this.uploader.pause(item.id)));
    on('resume-all', () => [...this.items.values()].filter((item) => item.state === 'paused').forEach((item) => this.uploader.resume(item.id)));
    on('save-all', () => this.saveAll());
    on('clear-finished', () => {
      const finished = [...this.items.values()].filter((item) => isFinal(item.state));
      this.remove(finished, this.words().t('toast.cleared', { n: finished.length }));
    });
  }

  listenToWorld() {
    addEventListener('online', () => this.uploader.resumeAll());
    addEventListener('pagehide', () => {
      this.rememberNow();
      this.leaving.forEach((item) => this.erase(item));
    });
    addEventListener('beforeunload', (event) => this.isLosing() && event.preventDefault());
  }

  /** Whether bytes would be lost that are neither with the gateway nor kept in the browser. */
  isLosing() {
    return [...this.items.values()].some((item) =>
      (isSending(item.state) || item.state === 'waiting' || item.state === 'paused') && !item.job && !item.origin && !item.url && !this.kept.has(item.id));
  }
}

/** What the last part of an address calls the file; a stray percent sign stays as it is. @param {URL} url */
function nameOf(url) {
  const part = url.pathname.split('/').pop() ?? '';
  try {
    return decodeURIComponent(part) || url.host;
  } catch {
    return part;
  }
}

/** 128 random bits; `crypto.randomUUID` exists in secure contexts only, and a gateway in the local network is none. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
