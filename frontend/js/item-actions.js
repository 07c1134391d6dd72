// @ts-check
/** What a reader can do with one image: the events of its row (see `ui/row.js`). */
import { storedOrigin } from './core/convert-again.js';
import { resultName } from './core/filenames.js';
import { queryOf } from './core/options.js';
import { newId } from './new-id.js';
import { sourcePath } from './net/api.js';
import { on } from './ui/dom.js';

/** @typedef {import('./core/types.js').Item} Item */
/** @typedef {import('./core/options.js').Settings} Settings */

export class ItemActions {
  /** @param {import('./gallery.js').Gallery} gallery */
  constructor(gallery) {
    this.gallery = gallery;
    this.listen();
  }

  listen() {
    const { items, uploader, tracker, removal, words } = this.gallery;
    const onItem = (/** @type {string} */ name, /** @type {(item: Item) => void} */ act) => on(name, (id) => {
      const item = items.get(id);
      if (item) act(item);
    });
    onItem('cancel-item', (item) => uploader.cancel(item.id));
    onItem('pause-item', (item) => uploader.pause(item.id));
    for (const name of ['now-item', 'resume-item']) onItem(name, (item) => uploader.resume(item.id));
    onItem('retry-item', (item) => this.convertAgain(item));
    onItem('again-item', (item) => this.askForSettings(item));
    onItem('compare-item', (item) => this.compare(item));
    onItem('copy-item', (item) => this.copyLink(item));
    onItem('save-item', (item) => this.save(item));
    onItem('download-item', (item) => tracker.checkResult(item.id));
    onItem('remove-item', (item) => removal.remove([item], words().t('toast.removed', { name: item.name })));
  }

  /** From the gateway's copy where it has one, else from the file or the address. @param {Item} item @param {Settings} [settings] */
  convertAgain(item, settings = this.gallery.settings()) {
    const { items, capabilities } = this.gallery;
    const origin = storedOrigin(item, capabilities);
    if (!origin && !item.has_file && !item.url) return;
    items.dispatch(item.id, { type: 'restarted', key: newId(), options: queryOf(settings, capabilities), origin });
  }

  /** @param {Item} item */
  async askForSettings(item) {
    const { chooseSettings } = await import('./file-settings.js');
    const chosen = await chooseSettings(this.gallery, item);
    for (const each of chosen?.items ?? []) this.convertAgain(each, chosen?.settings);
  }

  /** @param {Item} item */
  async compare(item) {
    if (!item.job || !item.result) return;
    const { api, capabilities, uploader, words } = this.gallery;
    const { openComparison } = await import('./ui/compare.js');
    const sourceOf = (/** @type {string} */ path) => capabilities.auth ? api.fetchBlob(path) : path;
    const before = uploader.files.get(item.id) ?? await sourceOf(sourcePath(item.job));
    openComparison({ item, before, after: await sourceOf(item.result.url) }, words());
  }

  /** @param {Item} item */
  async copyLink(item) {
    const { messages } = this.gallery;
    const link = new URL(item.result?.url ?? '', location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      messages.show('row.copied');
      messages.announce('row.copied');
    } catch {
      messages.show('row.copy_failed', { link });
    }
  }

  /** @param {Item} item */
  async save(item) {
    const { api, tracker } = this.gallery;
    const { saveBlob } = await import('./ui/save.js');
    const blob = await api.fetchBlob(item.result?.url ?? '');
    if (blob) saveBlob(blob, resultName(item.name));
    else tracker.checkResult(item.id);
  }
}
