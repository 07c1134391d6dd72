// @ts-check
/** The small pictures of the rows: of the file where the page has it, else of the result. */
import { resultPath } from './core/paths.js';
import { drawThumbnail } from './ui/thumbnail.js';

/** @typedef {import('./core/types.js').Item} Item */

export class Thumbnails {
  /**
   * @param {import('./items.js').Items} items
   * @param {import('./ui/list.js').List} list
   * @param {boolean} can_show_results false where fetching a result needs an API key, which an image element does not send
   */
  constructor(items, list, can_show_results) {
    this.items = items;
    this.list = list;
    /** Data URLs by item. @type {Map<string, string>} */
    this.pictures = new Map();
    items.listen({
      onAdded: ({ id }) => this.show(id),
      onChanged: ({ id, job, state, result }, before) => {
        const is_result_wanted = can_show_results && state === 'done' && before.state !== 'done' && !this.pictures.has(id);
        if (is_result_wanted && job) this.list.showPicture(id, resultPath(job), result?.color);
      },
    });
  }

  /** Resolves to whether there is a picture now. @param {string} id @param {Blob} file */
  async draw(id, file) {
    const picture = await drawThumbnail(file);
    if (!picture || !this.items.get(id)) return false;
    this.pictures.set(id, picture);
    this.show(id);
    return true;
  }

  /** @param {string} id */
  show(id) {
    const picture = this.pictures.get(id);
    if (picture) this.list.showPicture(id, picture);
  }
}
