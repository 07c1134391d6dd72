// @ts-check
/** The footer: where images go and for how long, the gateway's version, and how updates arrive. */
import { find, setText } from './dom.js';

/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {import('../core/types.js').Mode} Mode */

/** Mode → key of its name. */
const MODE_NAMES = /** @type {Record<Mode, string>} */ ({
  connecting: 'connection.connecting', live: 'connection.live', streaming: 'connection.streaming', polling: 'connection.polling', offline: 'connection.offline', unreachable: 'connection.unreachable',
});

/** @param {Capabilities} capabilities @param {string} metadata what the settings keep of it @param {Words} words */
export function showFacts(capabilities, metadata, words) {
  const key = metadata === 'none' ? 'footer.privacy' : 'footer.privacy_kept';
  setText(find('privacy', HTMLElement), words.t(key, { period: words.period(capabilities.retention_s) }));
  setText(find('version', HTMLElement), words.t('footer.version', { version: capabilities.version }));
}

/** @param {Mode} mode @param {Words} words */
export function showConnection(mode, words) {
  find('connection', HTMLElement).dataset.mode = mode;
  setText(find('connection-text', HTMLElement), words.t(MODE_NAMES[mode]));
}
