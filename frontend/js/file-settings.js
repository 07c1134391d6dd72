// @ts-check
/** The settings of one image, asked for in a dialog with its estimate. */
import { canConvertAgain } from './core/convert-again.js';
import { queryOf, settingsOfQuery } from './core/settings-query.js';
import { Estimates } from './estimates.js';
import { createEstimateLine, showEstimate } from './ui/estimate-line.js';
import { askForSettings } from './ui/file-settings.js';

/** @typedef {import('./core/types.js').Item} Item */

/**
 * @param {import('./gallery.js').Gallery} gallery
 * @param {Item} item
 * @returns {Promise<{settings: import('./core/options.js').Settings, items: Item[]} | null>} and the images that get them; null when it was dismissed
 */
export async function chooseSettings(gallery, item) {
  const { items, capabilities } = gallery;
  await gallery.loadTexts('settings');
  const words = gallery.words();
  const line = createEstimateLine();
  const estimates = new Estimates(gallery, (shown) => showEstimate(line, shown, words));
  const likely = () => items.all().filter((each) => canConvertAgain(each, capabilities));
  const chosen = await askForSettings({
    name: item.name, settings: settingsOfQuery(item.options, capabilities), capabilities, all: likely().length, estimate: line,
    onSettings: (settings) => estimates.update(queryOf(settings, capabilities), item),
  }, words);
  estimates.stop();
  if (!chosen) return null;
  const now = items.get(item.id);
  return { settings: chosen.settings, items: chosen.is_for_all ? likely() : now ? [now] : [] };
}
