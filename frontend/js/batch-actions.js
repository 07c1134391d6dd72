// @ts-check
/** What a reader can do with all images at once: the events of the summary bar and of the settings. */
import { canConvertAgain } from './core/convert-again.js';
import { zipName } from './core/filenames.js';
import { isLarger, outcomesOf } from './core/outcome.js';
import { canPause, isFinal } from './core/states.js';
import { on } from './ui/dom.js';

/** @typedef {import('./core/types.js').Item} Item */

/** So many are cancelled without a question. */
const CANCELLED_UNASKED = 3;

export class BatchActions {
  /** @param {import('./gallery.js').Gallery} gallery @param {(item: Item) => void} convertAgain */
  constructor(gallery, convertAgain) {
    this.gallery = gallery;
    this.convertAgain = convertAgain;
    this.listen();
  }

  listen() {
    const { uploader, capabilities } = this.gallery;
    on('apply-settings', () => this.where((item) => canConvertAgain(item, capabilities)).forEach((item) => this.convertAgain(item)));
    on('notify-when-done', () => this.askForNotification());
    on('cancel-all', () => this.cancelAll());
    on('pause-all', () => this.where((item) => canPause(item.state)).forEach((item) => uploader.pause(item.id)));
    on('resume-all', () => this.where((item) => item.state === 'paused').forEach((item) => uploader.resume(item.id)));
    on('save-all', () => this.saveAll());
    on('clear-finished', () => this.clearFinished());
  }

  /** @param {(item: Item) => boolean} test */
  where(test) {
    return this.gallery.items.all().filter(test);
  }

  async askForNotification() {
    const { overview, messages } = this.gallery;
    messages.show(await overview.background.askForNotification() ? 'summary.notify_coming' : 'summary.notify_refused');
  }

  async cancelAll() {
    const running = this.where((item) => !isFinal(item.state));
    if (running.length > CANCELLED_UNASKED && !await this.isSure(running.length)) return;
    for (const { id } of running) this.gallery.uploader.cancel(id);
  }

  /** @param {number} n */
  async isSure(n) {
    const { askToConfirm } = await import('./ui/confirmation.js');
    const words = this.gallery.words();
    return askToConfirm({ title: words.t('confirm.cancel', { n }), text: words.t('confirm.cancel_text'), yes: words.t('confirm.yes'), no: words.t('confirm.no') });
  }

  async saveAll() {
    const { api, capabilities, overview, messages } = this.gallery;
    const { packZip } = await import('./net/zip.js');
    const { saveBlob } = await import('./ui/save.js');
    const done = this.where((item) => item.state === 'done' && item.result !== null);
    const files = done.flatMap((item) => outcomesOf(item, capabilities).map(({ name, path }) => (
      { name: item.folder ? `${item.folder}/${name}` : name, path, modified_ms: item.modified_ms || Date.now() })));
    const zip = await packZip(files, api, (share) => overview.showPacking(Math.floor(100 * share)));
    overview.showPacking(null);
    if (!zip) return messages.showError('summary.zip_failed');
    saveBlob(zip, zipName(done.flatMap((item) => outcomesOf(item, capabilities).map(({ format }) => format))));
    const originals = done.filter(isLarger).length;
    if (originals > 0) messages.show('summary.zip_originals', { n: originals });
  }

  clearFinished() {
    const { removal, words } = this.gallery;
    const finished = this.where((item) => isFinal(item.state));
    removal.remove(finished, words().t('toast.cleared', { n: finished.length }));
  }
}
