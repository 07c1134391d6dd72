// @ts-check
/** What survives a reload: the jobs of the list, uploads under way, and files that the gateway does not have yet. */
import { createItem } from './core/item.js';
import { isFinal, isSending } from './core/states.js';
import { LARGEST_STORED_FILE_BYTES, deleteFile, loadFiles, loadJobs, loadUploads, saveFile, saveJobs, saveUploads } from './net/storage.js';
import { newId } from './new-id.js';

/** @typedef {import('./core/types.js').Item} Item */

/** With pictures, a large list is half a megabyte: many changes are saved at once. */
const SAVE_AFTER_MS = 300;

export class Persistence {
  /** @param {import('./items.js').Items} items @param {(id: string) => string | undefined} pictureOf the small picture of an item */
  constructor(items, pictureOf) {
    this.items = items;
    this.pictureOf = pictureOf;
    /** Items whose file is stored. @type {Set<string>} */
    this.stored = new Set();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    items.listen({
      onAdded: (item) => item.job && this.saveSoon(),
      onChanged: (item, before) => this.onChanged(item, before),
      onRemoved: () => this.saveSoon(),
    });
  }

  /** @param {Item} item @param {Item} before */
  onChanged(item, before) {
    const has_new_job = item.job !== before.job;
    if (has_new_job) this.deleteFile(item.id);
    if (has_new_job || item.name !== before.name || item.state !== before.state && isFinal(item.state)) this.saveSoon();
    if (item.upload !== before.upload || (item.state === 'paused') !== (before.state === 'paused')) this.saveUploads();
  }

  saveSoon() {
    this.timer ??= setTimeout(() => this.saveNow(), SAVE_AFTER_MS);
  }

  saveNow() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const known = this.items.all().filter((item) => (item.job ?? item.origin) && item.state !== 'cancelled' && item.state !== 'expired');
    saveJobs(known.map(({ id, job, origin, place, name, folder, modified_ms, bytes, type, options }) => ({ job: job ?? origin ?? '', place, name, folder, modified_ms, bytes, type, options, picture: this.pictureOf(id) ?? '' })));
  }

  saveUploads() {
    const begun = this.items.all().filter((item) => !item.job && !isFinal(item.state) && (item.upload || item.state === 'paused'));
    saveUploads(Object.fromEntries(begun.map(({ id, upload, state }) => [id, { upload: upload ?? '', is_paused: state === 'paused' }])));
  }

  /** Until the gateway has its bytes. @param {Item} item @param {File} file */
  async storeFile(item, file) {
    if (file.size > LARGEST_STORED_FILE_BYTES) return;
    await saveFile({ id: item.id, key: item.key, place: item.place, name: item.name, folder: item.folder, modified_ms: item.modified_ms, type: item.type, options: item.options, file });
    const now = this.items.get(item.id);
    if (now && !now.job) this.stored.add(item.id);
    else deleteFile(item.id);
  }

  /** @param {string} id */
  deleteFile(id) {
    if (this.stored.delete(id)) deleteFile(id);
  }

  /** Items for the jobs of an earlier visit. */
  restoreJobs() {
    return loadJobs().map(({ job, place, name, folder = '', modified_ms = 0, bytes, type, options, picture }) => ({
      item: createItem({ id: newId(), place, name, folder, modified_ms, bytes, type, options, job, has_file: false, state: 'verifying', sent_bytes: bytes }), picture,
    }));
  }

  /** Items for files of an earlier visit that the gateway does not have. @returns {Promise<{item: Item, file: Blob}[]>} */
  async restoreFiles() {
    const uploads = loadUploads();
    return (await loadFiles()).map(({ id, key, place, name, folder = '', modified_ms = 0, type, options, file }) => {
      const { upload, is_paused } = uploads[id] ?? { upload: '', is_paused: false };
      this.stored.add(id);
      return { item: createItem({ id, key, place, name, folder, modified_ms, type, options, bytes: file.size, upload: upload || null, state: is_paused ? 'paused' : 'waiting' }), file };
    });
  }

  /** Whether a reload now would lose bytes: neither the gateway nor the browser's storage has them. */
  wouldLoseBytes() {
    return this.items.all().some((item) =>
      (isSending(item.state) || item.state === 'waiting' || item.state === 'paused') && !item.job && !item.origin && !item.url && !this.stored.has(item.id));
  }
}
