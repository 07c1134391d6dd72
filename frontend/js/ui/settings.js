// @ts-check
/** The line of the settings that is always seen. Events: `settings-approached` before the panel is opened, `settings-opened` and `settings-closed`. */
import { emit, find, setText } from './dom.js';
import { DEFAULT_FORMAT, WEB } from '../core/capabilities.js';
import { formatsOf, hasQuality, presetsOf } from '../core/options.js';

/** @typedef {import('../core/options.js').Settings} Settings */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */

/** Preset → key of its name. */
const PRESET_NAMES = /** @type {const} */ ({ auto: 'settings.auto', photo: 'settings.photo', graphic: 'settings.graphic', lossless: 'settings.lossless' });

/** The panel may be open already, and its defaults and ranges are not known before this is called. */
export function listenToSettings() {
  const panel = find('settings', HTMLDetailsElement);
  for (const name of ['pointerenter', 'focusin']) panel.addEventListener(name, () => emit(panel, 'settings-approached'), { once: true });
  const tell = () => emit(panel, panel.open ? 'settings-opened' : 'settings-closed');
  panel.addEventListener('toggle', tell);
  if (panel.open) tell();
}

/** @param {Settings} settings @param {Capabilities} capabilities @param {Words} words */
export function showSettings(settings, capabilities, words) {
  setText(find('settings-now', HTMLElement), summaryText(settings, capabilities, words));
}

/** The default format goes without saying. @param {Settings} settings @param {Capabilities} capabilities @param {Words} words */
function formatText(settings, capabilities, words) {
  const { format, preset, quality } = settings;
  const name = words.list(formatsOf(settings).map((each) => words.format(each)));
  if (presetsOf(formatsOf(settings), capabilities).length === 0) return name;
  const kind = words.t(PRESET_NAMES[preset]);
  const text = hasQuality(settings) ? words.t('settings.now_quality', { preset: kind, quality }) : kind;
  return format === DEFAULT_FORMAT ? text : words.t('settings.now_format', { format: name, text });
}

/** @param {Settings} settings @param {Capabilities} capabilities @param {Words} words */
function summaryText(settings, capabilities, words) {
  const text = formatText(settings, capabilities, words);
  const { format, width, height } = settings;
  if (format === WEB) return words.t('settings.now_web', { text });
  if (width && height) return words.t('settings.now_size', { text, width, height });
  if (width) return words.t('settings.now_width', { text, width });
  return height ? words.t('settings.now_height', { text, height }) : text;
}
