// @ts-check
/** Removing images from the list, with Undo. The gateway's copies are erased when the time for Undo is over, or when the page is closed. */

/** @typedef {import('./core/types.js').Item} Item */
/**
 * @typedef {object} Context
 * @property {import('./items.js').Items} items
 * @property {import('./net/api.js').Api} api
 * @property {import('./messages.js').Messages} messages
 * @property {(id: string) => void} onErased
 */

export class Removal {
  /** @param {Context} context */
  constructor({ items, api, messages, onErased }) {
    this.items = items;
    this.api = api;
    this.messages = messages;
    this.onErased = onErased;
    /** Removed, and may still come back. @type {Map<string, Item>} */
    this.removed = new Map();
    addEventListener('pagehide', () => this.removed.forEach((item) => this.erase(item)));
  }

  /** @param {Item[]} removed @param {string} text of the toast */
  remove(removed, text) {
    for (const item of removed) {
      this.removed.set(item.id, item);
      this.items.remove(item);
    }
    this.messages.showWithUndo(text, {
      onUndo: () => removed.forEach((item) => this.removed.delete(item.id) && this.items.add(item)),
      onEnd: () => removed.forEach((item) => this.erase(item)),
    });
  }

  /** @param {Item} item */
  erase(item) {
    if (!this.removed.delete(item.id)) return;
    this.onErased(item.id);
    if (item.job) this.api.deleteJob(item.job);
  }
}
