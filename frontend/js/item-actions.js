// @ts-check
/** What a reader can do with one image: the events of its row (see `core/row-controls.js`). */
import { storedOrigin } from './core/convert-again.js';
import { displayName, extensionOf, stemOf, withoutFolders } from './core/filenames.js';
import { queryOf, settingsOfQuery } from './core/settings-query.js';
import { archiveOutcome, downloadAddress, outcomeOf, outcomesOf, resultOutcome, sourceOutcome } from './core/outcome.js';
import { altOf, pictureSnippet, snippetOf } from './core/picture-snippet.js';
import { asksForVariants } from './core/variants.js';
import { newId } from './new-id.js';
import { copyImage, copyText } from './ui/clipboard.js';
import { on } from './ui/dom.js';
import { saveAddress, saveBlob } from './ui/save.js';

/** @typedef {import('./core/types.js').Item} Item */
/** @typedef {import('./core/options.js').Settings} Settings */

export class ItemActions {
  /** @param {import('./gallery.js').Gallery} gallery */
  constructor(gallery) {
    this.gallery = gallery;
    /** Since it was opened first. @type {import('./comparison.js').Comparison | undefined} */
    this.comparison = undefined;
    this.listen();
  }

  listen() {
    const { uploader, tracker, removal, words, items, capabilities } = this.gallery;
    const onItem = (/** @type {string} */ name, /** @type {(item: Item) => void} */ act) => on(name, (id) => {
      const item = items.get(id);
      if (item) act(item);
    });
    onItem('cancel-item', (item) => uploader.cancel(item.id));
    onItem('pause-item', (item) => uploader.pause(item.id));
    for (const name of ['now-item', 'resume-item']) onItem(name, (item) => uploader.resume(item.id));
    onItem('retry-item', (item) => this.convertAgain(item));
    onItem('again-item', (item) => this.askForSettings(item));
    onItem('lossless-item', (item) => this.convertAgain(item, { ...settingsOfQuery(item.options, capabilities), preset: 'lossless' }));
    onItem('compare-item', (item) => this.compare(item));
    onItem('rename-item', (item) => this.rename(item));
    onItem('copy-image-item', (item) => this.copyImage(item));
    onItem('copy-item', (item) => this.copyLink(item));
    onItem('copy-picture-item', (item) => this.copyPicture(item));
    onItem('save-item', (item) => asksForVariants(item) ? this.saveVariants(item) : this.save(item, outcomeOf(item, capabilities)));
    on('save-variant', ({ id, file }) => {
      const item = items.get(id);
      if (item) this.save(item, file);
    });
    onItem('anyway-item', (item) => this.saveAnyway(item));
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
    const { Comparison } = await import('./comparison.js');
    this.comparison ??= new Comparison(this.gallery);
    this.comparison.open(item);
  }

  /** What it is saved as, and shown as in the list. @param {Item} item */
  async rename(item) {
    const { items, words } = this.gallery;
    const { askForName } = await import('./ui/rename.js');
    const extension = asksForVariants(item) ? '' : extensionOf(resultOutcome(item).name);
    const wanted = await askForName({ name: item.name, stem: stemOf(item.name), extension }, words());
    const stem = extension ? (wanted ?? '').trim().replace(new RegExp(`\\${extension}$`, 'i'), '') : (wanted ?? '').trim();
    if (stem) items.dispatch(item.id, { type: 'renamed', name: displayName(`${withoutFolders(stem)}${extensionOf(item.name) || `.${item.source?.format ?? 'png'}`}`) });
  }

  /** @param {Item} item */
  async copyLink(item) {
    const link = new URL(item.result?.url ?? '', location.href).href;
    this.say(await copyText(link), 'row.copied', ['row.copy_failed', { link }]);
  }

  /** @param {Item} item */
  async copyImage(item) {
    const is_copied = await copyImage(this.gallery.api.fetchBlob(item.result?.url ?? ''));
    this.say(is_copied, 'row.image_copied', ['row.image_copy_failed']);
  }

  /** @param {Item} item */
  async copyPicture(item) {
    const snippet = asksForVariants(item) ? snippetOf(item) : this.snippetOfOne(item);
    this.say(await copyText(snippet), 'row.picture_copied', ['row.copy_failed', { link: snippet }]);
  }

  /** @param {Item} item */
  snippetOfOne(item) {
    const [result, source] = [resultOutcome(item), sourceOutcome(item, this.gallery.capabilities)];
    const { width = 0, height = 0 } = item.result ?? {};
    return pictureSnippet({ result, source, width, height, alt: altOf(stemOf(item.name)) });
  }

  /** @param {boolean} is_done @param {string} success @param {[string, import('./core/language.js').Values?]} failure */
  say(is_done, success, [failure, values]) {
    const { messages } = this.gallery;
    if (!is_done) return messages.show(failure, values);
    messages.show(success);
    messages.announce(success);
  }

  /** The reader wants the larger file. @param {Item} item */
  saveAnyway(item) {
    const file = resultOutcome(item);
    if (this.gallery.capabilities.auth) this.save(item, file);
    else saveAddress(downloadAddress(file), file.name);
  }

  /** Fetched by the page: a link sends no API key. @param {Item} item @param {import('./core/outcome.js').Outcome} file */
  async save(item, file) {
    const { api, tracker } = this.gallery;
    const blob = await api.fetchBlob(file.path);
    if (blob) saveBlob(blob, file.name);
    else tracker.checkResult(item.id);
  }

  /** Packed by the page, where the gateway's own ZIP has other names, or no link can fetch it. @param {Item} item */
  async saveVariants(item) {
    const { api, capabilities, messages, tracker } = this.gallery;
    const { packZip } = await import('./net/zip.js');
    const zip = await packZip(outcomesOf(item, capabilities).map(({ name, path }) => ({ name, path, modified_ms: item.modified_ms || Date.now() })), api, () => {});
    if (zip) return saveBlob(zip, archiveOutcome(item).name);
    messages.showError('summary.zip_failed');
    tracker.checkResult(item.id);
  }
}
