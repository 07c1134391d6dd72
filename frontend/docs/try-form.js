// @ts-check
/** The form of one operation: its controls are made from the schemas. What it says is a request, which is sent, and shown as code. */
import { ROOT } from '../js/core/root.js';
import { el, setText } from '../js/ui/dom.js';
import { LANGUAGES } from './code.js';

/** @typedef {import('./description.js').Schema} Schema */
/** @typedef {import('./description.js').Operation} Operation */
/** @typedef {import('./description.js').Description} Description */
/** @typedef {import('../js/core/language.js').Words} Words */
/** @typedef {import('./code.js').Call} Call */

/** A browser opens these in its own way. */
const WITHOUT_FORM = new Set(['watchJob']);
/** These never end: they are shown as code alone. */
const WITHOUT_END = new Set(['followJob', 'followBatch']);
/** What a browser sends by itself, or nobody types. */
const LEFT_OUT = new Set(['If-Range', 'If-Match', 'Content-Digest', 'Upload-Checksum', 'Last-Event-ID']);
const SAMPLE_FILE = 'photo.jpg';
const SAVED = /** @type {Record<string, string>} */ ({ getArchive: 'images.zip', getSource: 'source.jpg', readDocs: 'api.html' });

export class TryForm {
  /** @param {Operation} each @param {Description} description @param {Words} words */
  constructor(each, description, words) {
    this.each = each;
    this.description = description;
    this.words = words;
    this.id = each.id;
    this.types = description.bodyTypes(each);
    this.can_send = !WITHOUT_FORM.has(each.id) && !WITHOUT_END.has(each.id);
    this.form = this.createForm();
    this.code = el('code', {});
    this.output = el('div', { class: 'docs-output', 'aria-live': 'polite' });
    this.form.addEventListener('input', () => this.showCode());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    /** @type {import('./code.js').Language} */
    this.language = 'curl';
  }

  createForm() {
    const { parameters, options, operation } = this.each;
    const asked = parameters.filter(({ name, in: where }) => !LEFT_OUT.has(name) && !(where === 'header' && ['Upgrade', 'Connection'].includes(name)));
    const { words } = this;
    return el('form', { class: 'docs-form', novalidate: '' },
      ...(this.types.length > 1 ? [this.control('type', words.t('docs.body'), { enum: this.types, default: this.types[0] }, '')] : []),
      ...(this.types.some((type) => !type.includes('json')) ? [this.field('file', words.t('docs.file'), el('input', { type: 'file', id: `${this.id}-file`, name: 'file' }))] : []),
      ...(this.types.some((type) => type.includes('json')) ? [this.field('json', 'JSON', el('textarea', { id: `${this.id}-json`, name: 'json', rows: '3', spellcheck: 'false' }, bodyExample(this.each)))] : []),
      ...asked.map((parameter) => this.control(`${parameter.in}:${parameter.name}`, parameter.name, parameter.schema, parameter.description ?? '', parameter.required)),
      ...(operation.security ? [this.field('key', words.t('docs.key'), el('input', { id: `${this.id}-key`, name: 'key', type: 'password', autocomplete: 'off' }))] : []),
      ...(options.length ? [el('details', { class: 'docs-options' }, el('summary', {}, words.t('docs.options')), el('div', { class: 'docs-controls' }, ...options.map(({ name, schema, description }) => this.control(`query:${name}`, name, schema, description ?? ''))))] : []),
      ...(this.can_send ? [el('div', { class: 'docs-actions' }, el('button', { class: 'button button-primary button-small' }, words.t('docs.send')))] : []));
  }

  /** @param {string} name @param {string} label @param {Element} input @param {string} [hint] */
  field(name, label, input, hint = '') {
    return el('div', { class: 'field', 'data-field': name }, el('label', { for: input.id }, label), input, ...(hint ? [el('small', {}, hint)] : []));
  }

  /** A control that can say what the schema allows, and nothing: then the default holds. @param {string} name @param {string} label @param {Schema} schema @param {string} hint @param {boolean} [required] */
  control(name, label, schema, hint, required = false) {
    /** @type {Record<string, string>} */
    const attributes = { id: `${this.id}-${name}`, name, ...(required ? { required: '' } : {}) };
    const known = this.description.resolve(schema.items ?? schema);
    const choices = known.type === 'boolean' ? ['true', 'false'] : known.enum?.map(String);
    const unset = schema.default === undefined ? '' : this.words.t('docs.default', { value: String(schema.default) });
    if (choices) {
      const is_free = name !== 'type';
      return this.field(name, label, el('select', attributes, ...(is_free ? [el('option', { value: '' }, unset || '–')] : []), ...choices.map((/** @type {string} */ value) => el('option', { value }, value))), hint);
    }
    if (known.const !== undefined) attributes.value = String(known.const);
    if (known.type === 'integer' || known.type === 'number') Object.assign(attributes, { type: 'number' }, limitsOf(known));
    return this.field(name, label, el('input', { autocomplete: 'off', placeholder: unset, ...attributes }), hint);
  }

  /** What the form says, as a request. `file` is what was chosen. @returns {Call & {file: File | null}} */
  read() {
    const given = new FormData(this.form);
    const { method, path } = this.each;
    /** @type {Record<string, string>} */
    const headers = {};
    const query = new URLSearchParams();
    let target = path;
    for (const [name, value] of given) {
      const [where, key] = name.split(/:(.*)/s);
      if (where === 'path') target = target.replace(`{${key}}`, encodeURIComponent(String(value) || key.toUpperCase()));
      else if (where === 'query' && value) query.set(key, String(value));
      else if (where === 'header' && value) headers[key] = String(value);
    }
    if (given.get('key')) headers.Authorization = `Bearer ${given.get('key')}`;
    const chosen = given.get('file');
    const file = chosen instanceof File && chosen.size ? chosen : null;
    const body = this.bodyOf(given, file, headers);
    const answer = this.description.answerOf(this.each);
    return { method, url: location.origin + ROOT + target + (query.size ? `?${query}` : ''), headers, body, answer, save: SAVED[this.id] ?? 'photo.webp', file };
  }

  /** @param {FormData} given @param {File | null} file @param {Record<string, string>} headers @returns {Call['body']} */
  bodyOf(given, file, headers) {
    const type = String(given.get('type') ?? this.types[0] ?? '');
    if (!type) return null;
    if (type.includes('json')) {
      headers['Content-Type'] = 'application/json';
      return { kind: 'text', text: String(given.get('json') ?? '') };
    }
    headers['Content-Type'] = type === 'image/*' ? file?.type || 'image/jpeg' : type;
    return { kind: 'file', name: file?.name ?? SAMPLE_FILE };
  }

  /** @param {import('./code.js').Language} [language] */
  showCode(language = this.language) {
    this.language = language;
    const call = this.read();
    // A key is not for a screen that others may see, nor for what is copied from it.
    const headers = call.headers.Authorization ? { ...call.headers, Authorization: 'Bearer YOUR_KEY' } : call.headers;
    setText(this.code, LANGUAGES[language].write({ ...call, headers }));
  }

  async send() {
    const missing = [...this.form.querySelectorAll('input')].find((input) => !input.checkValidity());
    if (missing) return void missing.reportValidity();
    const { method, url, headers, body, file } = this.read();
    const sent = body?.kind === 'text' ? body.text : file ?? undefined;
    this.output.replaceChildren(el('p', { class: 'docs-sending' }, this.words.t('docs.sending')));
    const begun_ms = performance.now();
    try {
      const response = await fetch(url, { method, headers: { ...headers, 'Accept-Language': this.words.language }, body: sent });
      const shown = await bodyOf(response, this.words);
      const took = this.words.t('docs.took', { n: Math.round(performance.now() - begun_ms) });
      const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`);
      this.output.replaceChildren(
        el('p', { class: 'docs-status', 'data-ok': String(response.ok) }, el('strong', {}, `${response.status} ${response.statusText}`), ` · ${took}`),
        el('details', {}, el('summary', {}, this.words.t('docs.headers', { n: lines.length })), el('pre', { tabindex: '0' }, lines.join('\n'))), shown);
    } catch {
      this.output.replaceChildren(el('p', { class: 'docs-status', 'data-ok': 'false' }, this.words.t('docs.failed')));
    }
  }
}

/** @param {Schema} schema @returns {Record<string, string>} */
function limitsOf({ minimum, maximum }) {
  return { ...(minimum === undefined ? {} : { min: String(minimum) }), ...(maximum === undefined ? {} : { max: String(maximum) }) };
}

/** What is typed first into a JSON body. @param {Operation} each */
const bodyExample = ({ id }) => id === 'createJob' ? '{"url": "https://example.com/photo.jpg"}' : '{"quality": 60}';

/** @param {Response} response @param {Words} words @returns {Promise<HTMLElement>} */
async function bodyOf(response, words) {
  const type = response.headers.get('Content-Type') ?? '';
  if (/json/.test(type)) return el('pre', { tabindex: '0' }, JSON.stringify(await response.json(), null, 2));
  if (/^text\//.test(type)) return el('pre', { tabindex: '0' }, await response.text());
  const blob = await response.blob();
  if (!blob.size) return el('p', {}, words.t('docs.no_body'));
  const url = URL.createObjectURL(blob);
  const link = el('a', { class: 'button button-small', href: url, download: /^image\//.test(type) ? 'photo.webp' : 'answer' }, words.t('docs.save', { bytes: words.bytes(blob.size) }));
  return el('div', { class: 'docs-picture' }, ...(/^image\//.test(type) ? [el('img', { src: url, alt: words.t('docs.picture') })] : []), link);
}
