// @ts-check
/**
 * The part of the page that handles images, joined from its controllers. It is loaded with the first image, so that the first view stays light.
 * Every change goes one way: an event of the network or the reader becomes a fact, the fact changes an item, the listeners show and store it.
 */
import { hasFeature } from './core/capabilities.js';
import { isSystemFile, problemOfFile } from './core/file-checks.js';
import { displayName, folderOf, nameOfUrl } from './core/filenames.js';
import { createItem } from './core/item.js';
import { queryOf } from './core/settings-query.js';
import { isFollowing } from './core/states.js';
import { ListArrangement } from './arrangement.js';
import { BatchActions } from './batch-actions.js';
import { ItemActions } from './item-actions.js';
import { Items } from './items.js';
import { Messages } from './messages.js';
import { newId } from './new-id.js';
import { Overview } from './overview.js';
import { Persistence } from './persistence.js';
import { Removal } from './removal.js';
import { Thumbnails } from './thumbnails.js';
import { Digests } from './net/digests.js';
import { JobTracker } from './net/job-tracker.js';
import { Uploader } from './net/uploader.js';
import { emit } from './ui/dom.js';
import { List } from './ui/list.js';

/** @typedef {import('./core/types.js').Item} Item */
/**
 * @typedef {object} Context what the first view has already
 * @property {import('./net/api.js').Api} api
 * @property {import('./net/job-updates.js').JobUpdates} updates
 * @property {import('./core/types.js').Capabilities} capabilities
 * @property {() => import('./core/language.js').Words} words
 * @property {() => import('./core/options.js').Settings} settings
 * @property {(part: import('./net/catalog.js').Part) => Promise<void>} loadTexts
 */

const TICK_MS = 1000;

export class Gallery {
  /** @param {Context} context */
  constructor({ api, updates, capabilities, words, settings, loadTexts }) {
    this.api = api;
    this.updates = updates;
    this.capabilities = capabilities;
    this.words = words;
    this.settings = settings;
    this.loadTexts = loadTexts;
    const items = this.items = new Items();
    this.list = new List(() => ({ capabilities, words: words() }));
    items.listen({ onAdded: (item) => this.list.add(item), onChanged: (item) => this.list.update(item), onRemoved: (item) => this.list.remove(item.id) });
    this.messages = new Messages(capabilities, words);
    this.overview = new Overview({ items, capabilities, words, announcer: this.messages.announcer });
    this.arrangement = new ListArrangement({ items, list: this.list, words, messages: this.messages, onFilter: (filter) => this.overview.showFilter(filter) });
    this.persistence = new Persistence(items, (id) => this.thumbnails.pictures.get(id));
    this.thumbnails = new Thumbnails(items, this.list, !capabilities.auth);
    this.tracker = new JobTracker({ api, updates, items, onProblem: (id, problem) => this.showProblem(id, problem), onJobEnded: () => this.uploader.resumeAfterFullQueue() });
    this.uploader = new Uploader({ api, tracker: this.tracker, items, findOrigin: (item) => this.findOrigin(item), can_resume: hasFeature(capabilities, 'tus') });
    items.listen({
      onAdded: ({ job, seq, state }) => { if (job && isFollowing(state)) updates.follow(job, seq); },
      onChanged: (item, before) => item.state !== before.state && this.onState(item),
      onRemoved: ({ job }) => { if (job) updates.unfollow(job); },
    });
    this.digests = new Digests();
    this.removal = new Removal({ items, api, messages: this.messages, onErased: (id) => this.forget(id) });
    const actions = new ItemActions(this);
    this.batch_actions = new BatchActions(this, (item) => actions.convertAgain(item));
    this.listenToWindow();
    setInterval(() => this.tick(), TICK_MS);
  }

  listenToWindow() {
    addEventListener('online', () => this.uploader.resumeAll());
    addEventListener('pagehide', () => this.persistence.saveNow());
    addEventListener('beforeunload', (event) => this.persistence.wouldLoseBytes() && event.preventDefault());
  }

  // ── images come ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {File[]} chosen */
  addFiles(chosen) {
    const files = chosen.filter((file) => !isSystemFile(file.name));
    const refused = files.map((file) => this.addFile(file)).filter((item) => item.state === 'invalid');
    const values = { n: files.length - refused.length, m: refused.length };
    if (files.length > 0) this.messages.announce(refused.length > 0 ? 'announce.added_refused' : 'announce.added', values);
    for (const item of refused) this.overview.noteFailure(item);
    this.uploader.startNext();
  }

  /** @param {File} file @returns {Item} */
  addFile(file) {
    const problem = problemOfFile(file, this.capabilities);
    const item = this.items.add(createItem({
      id: newId(), key: newId(), name: displayName(file.name), folder: folderOf(file.webkitRelativePath), modified_ms: file.lastModified,
      bytes: file.size, type: file.type, options: this.query(),
      state: problem ? 'invalid' : 'waiting', problem, has_file: !problem,
    }));
    if (problem) return item;
    this.loadFile(item, file);
    this.persistence.storeFile(item, file);
    return item;
  }

  /** @param {string} url */
  addUrl(url) {
    this.items.add(createItem({ id: newId(), key: newId(), name: nameOfUrl(new URL(url)), bytes: 0, url, has_file: false, options: this.query() }));
    this.messages.announce('announce.added', { n: 1 });
    this.uploader.startNext();
  }

  query() {
    return queryOf(this.settings(), this.capabilities);
  }

  /** @param {Item} item @param {Blob} file */
  async loadFile(item, file) {
    this.uploader.addFile(item.id, file);
    if (await this.thumbnails.draw(item.id, file)) this.persistence.saveSoon();
  }

  /** Continue with what an earlier visit left: follow its jobs, upload the files that the gateway does not have. */
  async restore() {
    for (const { item, picture } of this.persistence.restoreJobs()) {
      if (picture) this.thumbnails.pictures.set(item.id, picture);
      this.items.add(item);
    }
    for (const { item, file } of await this.persistence.restoreFiles()) {
      this.items.add(item);
      this.loadFile(item, file);
    }
    this.uploader.startNext();
  }

  /** The finished job of an image with the very same bytes: its source need not be sent again. @param {Item} item @returns {Promise<string | null>} */
  async findOrigin(item) {
    if (!hasFeature(this.capabilities, 'retry')) return null;
    const candidates = this.items.all().filter((each) => each.id !== item.id && each.bytes === item.bytes && each.state === 'done' && each.job);
    for (const { id, job } of candidates) {
      const is_same = await this.digests.areSame(this.uploader.files.get(item.id), this.uploader.files.get(id));
      if (is_same && this.items.get(id)?.state === 'done') return job;
    }
    return null;
  }

  // ── images change and go ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param {Item} item */
  onState(item) {
    if (item.state === 'failed' && item.problem?.code === 'unauthorized') emit(document, 'key-refused');
    this.uploader.startNext();
  }

  /** @param {import('./core/types.js').Job} job */
  onJob(job) {
    const item = this.items.ofJob(job.id);
    if (item) this.tracker.apply(item.id, job);
    else this.updates.unfollow(job.id);
  }

  /** @param {string} job that the gateway no longer has */
  onJobGone(job) {
    this.updates.unfollow(job);
    const item = this.items.ofJob(job);
    if (!item) return;
    const is_from_earlier_visit = item.state === 'verifying' && !item.has_file;
    if (!is_from_earlier_visit) return this.items.dispatch(item.id, { type: 'job_gone', job_id: job });
    this.items.remove(item);
    this.forget(item.id);
  }

  /** Free what belongs to an item that does not come back. @param {string} id */
  forget(id) {
    this.uploader.forget(id);
    this.thumbnails.pictures.delete(id);
    this.persistence.deleteFile(id);
  }

  /** @param {string} id @param {import('./core/types.js').Problem} problem */
  showProblem(id, problem) {
    const item = this.items.get(id);
    if (item) this.messages.showProblem(item, problem);
  }

  /** Whether anything is to come from the gateway. */
  isWaiting() {
    return this.items.all().some(({ state }) => isFollowing(state));
  }

  /** @param {boolean} is_reachable */
  setReachable(is_reachable) {
    this.overview.is_stalled = !is_reachable;
    for (const { id } of this.items.all()) this.items.dispatch(id, { type: is_reachable ? 'gateway_back' : 'gateway_lost' });
  }

  /** The language changed. */
  translate() {
    this.list.updateAll(this.items.all());
    this.list.arrangeSoon();
    this.overview.update();
    for (const item of this.items.all()) if (item.state === 'failed' && item.job) this.tracker.translateProblem(item.id, item.job);
  }

  /** Update the figures that change with time alone: seconds until the next attempt, time left. */
  tick() {
    for (const item of this.items.all()) if (item.state === 'retrying') this.list.update(item);
    if (this.items.size > 0) this.overview.updateSoon();
  }
}
