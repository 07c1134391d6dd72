// @ts-check
/** The panel of settings, loaded when it is opened: the form, the estimate, the settings that have a name, and the link. */
import { WEB } from './core/capabilities.js';
import { canConvertAgain } from './core/convert-again.js';
import { cleanName, isSame, readNamed, withNamed } from './core/named-settings.js';
import { defaultSettings, isChanged } from './core/options.js';
import { queryOf } from './core/settings-query.js';
import { linkOf } from './core/settings-address.js';
import { Estimates } from './estimates.js';
import { loadValue, saveValue } from './net/storage.js';
import { copyText } from './ui/clipboard.js';
import { emit, find, on } from './ui/dom.js';
import { createEstimateLine, showEstimate } from './ui/estimate-line.js';
import { clearProblem, createForm, readForm, showForm } from './ui/settings-form.js';
import { createTools, showApply, showNamed, showReset } from './ui/settings-tools.js';
import { loadStyles } from './ui/styles.js';
import { showTexts } from './ui/texts.js';

/** @typedef {import('./core/options.js').Settings} Settings */
/**
 * @typedef {object} Context
 * @property {import('./gallery.js').Gallery} gallery
 * @property {import('./core/types.js').Capabilities} capabilities
 * @property {() => import('./core/language.js').Words} words
 * @property {() => Settings} settings
 */

const STORED_AS = 'named-settings';

export class SettingsPanel {
  /** @param {Context} context */
  constructor({ gallery, capabilities, words, settings }) {
    this.gallery = gallery;
    this.capabilities = capabilities;
    this.words = words;
    this.settings = settings;
    this.named = readNamed(loadValue(STORED_AS), capabilities);
    this.form = createForm('', capabilities);
    this.form.id = 'settings-form';
    this.line = createEstimateLine();
    /** @type {import('./ui/estimate-line.js').Shown} */
    this.estimated = { state: 'none' };
    this.estimates = new Estimates(gallery, (shown) => this.showEstimate(shown));
  }

  /** With its styles; its texts are loaded already. @param {Context} context */
  static async open(context) {
    const panel = new SettingsPanel(context);
    await loadStyles('settings-form');
    panel.form.querySelector('.settings-main')?.after(panel.line);
    find('settings-body', HTMLElement).replaceChildren(panel.form, createTools());
    panel.listen();
    panel.translate();
    return panel;
  }

  listen() {
    const { form, capabilities } = this;
    form.addEventListener('input', (event) => this.change(readForm(form, event, { now: this.settings(), capabilities, words: this.words() })));
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('reset', (event) => {
      event.preventDefault();
      clearProblem(form);
      this.change(defaultSettings(capabilities));
    });
    on('settings-closed', () => this.estimates.stop());
    on('name-settings', (name) => this.addNamed(name));
    on('use-named-settings', (name) => this.useNamed(name));
    on('remove-named-settings', (name) => this.removeNamed(name));
    on('copy-settings-link', () => this.copyLink());
    this.gallery.items.listen({
      onAdded: () => this.estimate(),
      onChanged: ({ id, state }, before) => state === 'done' && before.state !== 'done' && id === this.estimates.newest()?.id && this.estimate(),
      onRemoved: () => this.estimate(),
    });
  }

  /** @param {Settings} settings */
  change(settings) {
    emit(this.form, 'settings-changed', settings);
  }

  translate() {
    showTexts(this.words());
    this.show();
    this.showEstimate(this.estimated);
    this.gallery.overview.update();
  }

  /** What the settings are now. */
  show() {
    const [settings, words] = [this.settings(), this.words()];
    showForm(this.form, settings, this.capabilities, words);
    showReset(isChanged(settings, this.capabilities));
    showNamed(this.named.map((each) => ({ name: each.name, is_current: isSame(each.settings, settings) })), words);
    showApply(this.gallery.items.all().filter((item) => canConvertAgain(item, this.capabilities)).length, words);
    this.estimate();
  }

  /** Only where somebody sees it. */
  estimate() {
    if (find('settings', HTMLDetailsElement).open) this.estimates.update(queryOf(this.settings(), this.capabilities));
  }

  /** @param {import('./ui/estimate-line.js').Shown} shown */
  showEstimate(shown) {
    this.estimated = shown;
    showEstimate(this.line, shown, this.words());
  }

  /** @param {string} given */
  addNamed(given) {
    const name = cleanName(given);
    const [before, { messages }] = [this.named, this.gallery];
    const named = name && withNamed(before, { name, settings: this.settings() });
    if (named === null) return messages.show('settings.names_full', { n: before.length });
    if (!named) return;
    this.keepNamed(named);
    messages.announce('settings.saved_named', { name });
    if (named.length === before.length) messages.showWithUndo(this.words().t('settings.replaced_named', { name }), { onUndo: () => this.keepNamed(before), onEnd: () => {} });
  }

  /** @param {string} name */
  useNamed(name) {
    const found = this.named.find((each) => each.name === name);
    clearProblem(this.form);
    if (found) this.change(found.settings);
  }

  /** @param {string} name */
  removeNamed(name) {
    const before = this.named;
    this.keepNamed(before.filter((each) => each.name !== name));
    this.gallery.messages.showWithUndo(this.words().t('settings.removed_named', { name }), { onUndo: () => this.keepNamed(before), onEnd: () => {} });
  }

  /** @param {import('./core/named-settings.js').Named[]} named */
  keepNamed(named) {
    this.named = named;
    saveValue(STORED_AS, named);
    this.show();
  }

  /** What a link said, and is not used. @param {import('./core/settings-address.js').Link} link */
  tellUnused({ settings: { format }, unknown, meaningless, refused }) {
    const words = this.words();
    if (unknown.length > 0) this.gallery.messages.alert(words.t('settings.link_unknown', { n: unknown.length, names: words.list(unknown) }));
    if (meaningless.length > 0) this.gallery.messages.alert(words.t('settings.link_meaningless', { names: words.list(meaningless), format: format === WEB ? words.t('settings.web') : words.format(format) }));
    const values = refused.map((each) => words.t('settings.link_value', each));
    if (values.length > 0) this.gallery.messages.alert(words.t('settings.link_refused', { values: words.list(values) }));
  }

  async copyLink() {
    const { messages } = this.gallery;
    const link = new URL(linkOf(this.settings(), this.capabilities), location.href).href;
    if (!await copyText(link)) return messages.show('row.copy_failed', { link });
    messages.show('settings.link_copied');
    messages.announce('settings.link_copied');
  }
}
