// @ts-check
/** The page `/api/docs`: draws `/api/openapi.json`, with a form to try each operation. It loads nothing from other hosts, and no text as HTML. */
import { ROOT } from '../js/core/root.js';
import { Preferences } from '../js/preferences.js';
import { el } from '../js/ui/dom.js';

/** Any object of the description; its shape is OpenAPI's. @typedef {Record<string, any>} Schema */

/** Operations without a form: a browser opens them in its own way, or they never end. */
const WITHOUT_FORM = new Set(['watchJob', 'followJob', 'followBatch']);
/** Request headers that the form asks for. */
const TRIED_HEADERS = ['Prefer', 'If-None-Match', 'Range', 'Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Upload-Metadata', 'Idempotency-Key'];
/** Fields of the form that are no parameters: query, body, API key. */
const [QUERY, BODY, KEY] = ['?', '@', '!'];

const preferences = await Preferences.load(show, 'docs');
let { words } = preferences;
/** @type {Schema} */
let api = {};

/** What a reference points to. @param {Schema} schema @returns {Schema} */
const resolve = (schema) => schema.$ref ? schema.$ref.slice(2).split('/').reduce((/** @type {Schema} */ at, /** @type {string} */ name) => at[name], api) : schema;

/** A schema in a few words. @param {Schema} schema @returns {string} */
function typeText(schema) {
  if (schema.$ref) return schema.$ref.split('/').pop();
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.map(typeText).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.type === 'array') return `${typeText(schema.items)}[]`;
  const range = schema.minimum !== undefined || schema.maximum !== undefined ? ` ${schema.minimum ?? ''}–${schema.maximum ?? ''}` : '';
  return `${schema.type ?? 'any'}${range}`;
}

/** @param {string[]} heads @param {(Node | string)[][]} rows */
function table(heads, rows) {
  const line = (/** @type {'th' | 'td'} */ cell, /** @type {(Node | string)[]} */ cells) => el('tr', {}, ...cells.map((each) => el(cell, {}, each)));
  return el('div', { class: 'docs-wide', tabindex: '0' }, el('table', {}, el('thead', {}, line('th', heads)), el('tbody', {}, ...rows.map((row) => line('td', row)))));
}

/** @param {Schema[]} parameters */
function parameterTable(parameters) {
  return table([words.t('docs.parameters'), words.t('docs.where'), '', ''], parameters.map((each) => [
    el('code', {}, each.name), each.in, `${typeText(each.schema)}${each.schema.default === undefined ? '' : ` = ${each.schema.default}`}`,
    `${each.description ?? ''}${each.required ? ` (${words.t('docs.required')})` : ''}`,
  ]));
}

/** Those that any request may get are shown once, in a table of their own. @param {Schema} responses */
const responseTable = (responses) => table([words.t('docs.responses'), '', ''], Object.entries(responses).filter(([, response]) => !response.$ref).map(([status, response]) => [
  el('code', {}, status), response.description.replaceAll('`', ''),
  Object.entries(/** @type {Schema} */ (response.content ?? {})).map(([type, { schema }]) => `${type}: ${typeText(schema)}`).join(', '),
]));

/** @param {string} method @param {string} path @param {Schema} operation */
function operationSection(method, path, operation) {
  const parameters = (operation.parameters ?? []).map(resolve);
  const options = parameters.filter((/** @type {Schema} */ each) => each.name in api.components.schemas.Options.properties && each.in === 'query');
  const others = parameters.filter((/** @type {Schema} */ each) => !options.includes(each));
  const sample = operation['x-codeSamples']?.[0]?.source?.replaceAll('{base}', location.origin + ROOT);
  return el('section', { class: 'docs-operation', id: operation.operationId, 'aria-labelledby': `${operation.operationId}-path` },
    el('h3', { class: 'docs-path', id: `${operation.operationId}-path` }, el('span', { class: 'docs-method', 'data-method': method }, method.toUpperCase()), el('code', {}, path)),
    el('p', {}, operation.summary),
    ...(others.length ? [parameterTable(others)] : []),
    ...(options.length ? [el('details', {}, el('summary', {}, words.t('docs.options')), parameterTable(options))] : []),
    ...(operation.requestBody ? [el('p', {}, `${words.t('docs.body')}: `, el('code', {}, Object.keys(operation.requestBody.content).join(', ')))] : []),
    responseTable(operation.responses),
    ...(sample ? [el('pre', { 'aria-label': words.t('docs.example'), tabindex: '0' }, el('code', {}, sample))] : []),
    ...(WITHOUT_FORM.has(operation.operationId) ? [] : [tryForm(method, path, operation, others)]));
}

/** @param {string} method @param {string} path @param {Schema} operation @param {Schema[]} parameters */
function tryForm(method, path, operation, parameters) {
  const asked = parameters.filter((each) => each.in !== 'header' || TRIED_HEADERS.includes(each.name));
  const has_options = operation.parameters?.some((/** @type {Schema} */ each) => each.$ref?.includes('option.'));
  const output = el('pre', { 'aria-live': 'polite', tabindex: '0', hidden: '' });
  const field = (/** @type {string} */ label, /** @type {Record<string, string>} */ attributes) => el('label', {}, label, el('input', attributes));
  const form = el('form', { class: 'docs-form' },
    ...asked.map((each) => field(each.name, { name: each.name, autocomplete: 'off', ...(each.required ? { required: '' } : {}) })),
    ...(has_options ? [field('query', { name: QUERY, placeholder: 'quality=80&width=800', autocomplete: 'off' })] : []),
    ...(operation.requestBody ? [field(words.t('docs.file'), { name: BODY, type: 'file' })] : []),
    ...(operation.security ? [field(words.t('docs.key'), { name: KEY, type: 'password', autocomplete: 'off' })] : []),
    el('div', {}, el('button', { class: 'docs-send' }, words.t('docs.send'))), output);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    output.hidden = false;
    output.textContent = await send(method, path, asked, new FormData(form));
  });
  return el('details', {}, el('summary', {}, words.t('docs.try_it')), form);
}

/** The request and its response as text. @param {string} method @param {string} path @param {Schema[]} parameters @param {FormData} given */
async function send(method, path, parameters, given) {
  /** @type {Record<string, string>} */
  const headers = { 'Accept-Language': words.language };
  const query = new URLSearchParams(String(given.get(QUERY) ?? ''));
  let target = path;
  for (const each of parameters) {
    const value = String(given.get(each.name) ?? '');
    if (each.in === 'path') target = target.replace(`{${each.name}}`, encodeURIComponent(value));
    else if (value && each.in === 'query') query.set(each.name, value);
    else if (value) headers[each.name] = value;
  }
  if (given.get(KEY)) headers.Authorization = `Bearer ${given.get(KEY)}`;
  const file = given.get(BODY);
  if (path.startsWith('/api/uploads') && file) headers['Content-Type'] = 'application/offset+octet-stream';
  const url = ROOT + target + (query.size ? `?${query}` : '');
  try {
    const response = await fetch(url, { method: method.toUpperCase(), headers, body: file instanceof File && file.size ? file : undefined });
    const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`);
    return `${method.toUpperCase()} ${url}\n\n${response.status} ${response.statusText}\n${lines.join('\n')}\n\n${await bodyText(response)}`;
  } catch {
    return words.t('docs.failed');
  }
}

/** @param {Response} response */
async function bodyText(response) {
  const type = response.headers.get('Content-Type') ?? '';
  if (/json/.test(type)) return JSON.stringify(await response.json(), null, 2);
  if (/^text\//.test(type)) return response.text();
  return `${(await response.blob()).size} ${words.t('docs.bytes')}`;
}

/** @param {string} name @param {Schema} schema */
function schemaSection(name, schema) {
  return el('section', { class: 'docs-operation', id: `schema-${name}` }, el('h3', {}, name),
    schema.properties ? table(['', ''], Object.entries(schema.properties).map(([key, each]) => [el('code', {}, key), typeText(/** @type {Schema} */ (each))])) : el('p', {}, typeText(schema)),
    ...(schema.example ? [el('pre', { tabindex: '0', 'aria-label': words.t('docs.example') }, el('code', {}, JSON.stringify(schema.example, null, 2)))] : []));
}

function draw() {
  const index = /** @type {HTMLElement} */ (document.getElementById('index'));
  const body = /** @type {HTMLElement} */ (document.getElementById('body'));
  index.replaceChildren();
  body.replaceChildren(el('h1', {}, api.info.title), el('p', {}, api.info.description, ' ', el('a', { href: `${ROOT}/api/openapi.json` }, 'openapi.json'), ' · ', el('a', { href: `${ROOT}/problems` }, '/problems')));
  const all = Object.entries(/** @type {Record<string, Schema>} */ (api.paths)).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
  for (const tag of api.tags) {
    const own = all.filter(({ operation }) => operation.tags.includes(tag.name));
    index.append(el('strong', {}, tag.name), el('ul', {}, ...own.map(({ operation }) => el('li', {}, el('a', { href: `#${operation.operationId}` }, operation.summary)))));
    body.append(el('h2', {}, tag.name), el('p', {}, tag.description), ...own.map(({ method, path, operation }) => operationSection(method, path, operation)));
  }
  body.append(el('h2', { id: 'any' }, words.t('docs.any_request')), responseTable(api.components.responses));
  body.append(el('h2', {}, words.t('docs.schemas')), ...Object.entries(api.components.schemas).map(([name, schema]) => schemaSection(name, /** @type {Schema} */ (schema))));
}

/** Also after each change of the language. */
async function show() {
  words = preferences.words;
  const { language } = words;
  api = await (await fetch(`${ROOT}/api/openapi.json`, { headers: { 'Accept-Language': language } })).json();
  draw();
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
  document.documentElement.dataset.ready = '';
}

await show();
