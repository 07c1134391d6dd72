// @ts-check
/** /api/docs: draws /api/openapi.json. Loads nothing else, from nowhere else, and puts no text into the page as HTML. */

/** @typedef {Record<string, any>} Thing */

const WORDS = {
  en: { parameters: 'Parameters', options: 'Conversion options', body: 'Body', answers: 'Answers', example: 'Example', attempt: 'Try it', send: 'Send', file: 'Image', key: 'API key', schemas: 'Shapes', where: 'in', required: 'required', failed: 'The request could not be sent.', bytes: 'bytes' },
  'zh-CN': { parameters: '参数', options: '转换选项', body: '正文', answers: '响应', example: '示例', attempt: '试一试', send: '发送', file: '图片', key: 'API 密钥', schemas: '数据结构', where: '位置', required: '必填', failed: '请求无法发送。', bytes: '字节' },
};
/** Opened by the browser's own means, or never ending. */
const NOT_TO_BE_TRIED = new Set(['watchJob', 'followJob', 'followBatch']);

/** @type {keyof typeof WORDS} */
let language = document.documentElement.lang === 'zh-CN' ? 'zh-CN' : 'en';
/** @type {Thing} */
let api = {};

/**
 * @param {string} name @param {Thing} [attributes] @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((each) => each !== null));
  return element;
}

/** @param {Thing} thing */
const resolved = (thing) => (thing.$ref ? thing.$ref.slice(2).split('/').reduce((/** @type {Thing} */ at, /** @type {string} */ name) => at[name], api) : thing);

/** A schema in a few words. @param {Thing} schema @returns {string} */
function shape(schema) {
  if (schema.$ref) return schema.$ref.split('/').pop();
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return several.map(shape).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((/** @type {any} */ each) => (each === null ? 'null' : String(each))).join(' | ');
  if (schema.type === 'array') return `${shape(schema.items)}[]`;
  const range = schema.minimum !== undefined || schema.maximum !== undefined ? ` ${schema.minimum ?? ''}–${schema.maximum ?? ''}` : '';
  return `${schema.type ?? 'any'}${range}`;
}

/** @param {string[]} heads @param {(Node | string)[][]} rows */
function table(heads, rows) {
  const line = (/** @type {string} */ cell, /** @type {(Node | string)[]} */ cells) => make('tr', {}, ...cells.map((each) => make(cell, {}, each)));
  return make('div', { class: 'docs-wide', tabindex: '0' }, make('table', {}, make('thead', {}, line('th', heads)), make('tbody', {}, ...rows.map((row) => line('td', row)))));
}

/** @param {Thing[]} parameters */
function parameterTable(parameters) {
  const words = WORDS[language];
  return table([words.parameters, words.where, '', ''], parameters.map((each) => [
    make('code', {}, each.name), each.in, `${shape(each.schema)}${each.schema.default === undefined ? '' : ` = ${each.schema.default}`}`,
    `${each.description ?? ''}${each.required ? ` (${words.required})` : ''}`,
  ]));
}

/** @param {Thing} responses */
const answerTable = (responses) => table([WORDS[language].answers, '', ''], Object.entries(responses).map(([status, answer]) => [
  make('code', {}, status), answer.description.replaceAll('`', ''),
  Object.entries(/** @type {Thing} */ (answer.content ?? {})).map(([type, { schema }]) => `${type}: ${shape(schema)}`).join(', '),
]));

/** @param {string} method @param {string} path @param {Thing} operation */
function drawn(method, path, operation) {
  const words = WORDS[language];
  const parameters = (operation.parameters ?? []).map(resolved);
  const options = parameters.filter((/** @type {Thing} */ each) => each.name in api.components.schemas.Options.properties && each.in === 'query');
  const others = parameters.filter((/** @type {Thing} */ each) => !options.includes(each));
  const sample = operation['x-codeSamples']?.[0]?.source?.replaceAll('{base}', location.origin);
  return make('section', { class: 'docs-operation', id: operation.operationId, 'aria-labelledby': `${operation.operationId}-path` },
    make('h3', { class: 'docs-path', id: `${operation.operationId}-path` }, make('span', { class: 'docs-method', 'data-method': method }, method.toUpperCase()), make('code', {}, path)),
    make('p', {}, operation.summary),
    others.length ? parameterTable(others) : null,
    options.length ? make('details', {}, make('summary', {}, words.options), parameterTable(options)) : null,
    operation.requestBody ? make('p', {}, `${words.body}: `, make('code', {}, Object.keys(operation.requestBody.content).join(', '))) : null,
    answerTable(operation.responses),
    sample ? make('pre', { 'aria-label': words.example, tabindex: '0' }, make('code', {}, sample)) : null,
    NOT_TO_BE_TRIED.has(operation.operationId) ? null : attempt(method, path, operation, others));
}

/** @param {string} method @param {string} path @param {Thing} operation @param {Thing[]} parameters */
function attempt(method, path, operation, parameters) {
  const words = WORDS[language];
  const asked = parameters.filter((each) => each.in !== 'header' || ['Prefer', 'If-None-Match', 'Range', 'Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Upload-Metadata', 'Idempotency-Key'].includes(each.name));
  const said = make('pre', { 'aria-live': 'polite', tabindex: '0', hidden: '' });
  const form = /** @type {HTMLFormElement} */ (make('form', { class: 'docs-form' },
    ...asked.map((each) => make('label', {}, each.name, make('input', { name: each.name, autocomplete: 'off', ...(each.required ? { required: '' } : {}) }))),
    operation['parameters']?.some((/** @type {Thing} */ each) => each.$ref?.includes('option.')) ? make('label', {}, 'query', make('input', { name: '?', placeholder: 'quality=80&width=800', autocomplete: 'off' })) : null,
    operation.requestBody ? make('label', {}, words.file, make('input', { name: '@', type: 'file' })) : null,
    operation.security ? make('label', {}, words.key, make('input', { name: '!', type: 'password', autocomplete: 'off' })) : null,
    make('div', {}, make('button', { class: 'docs-send' }, words.send)), said));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    said.hidden = false;
    said.textContent = await send(method, path, asked, new FormData(form));
  });
  return make('details', {}, make('summary', {}, words.attempt), form);
}

/** @param {string} method @param {string} path @param {Thing[]} parameters @param {FormData} given */
async function send(method, path, parameters, given) {
  /** @type {Record<string, string>} */
  const headers = { 'Accept-Language': language };
  const query = new URLSearchParams(String(given.get('?') ?? ''));
  let target = path;
  for (const each of parameters) {
    const value = String(given.get(each.name) ?? '');
    if (each.in === 'path') target = target.replace(`{${each.name}}`, encodeURIComponent(value));
    else if (value && each.in === 'query') query.set(each.name, value);
    else if (value) headers[each.name] = value;
  }
  if (given.get('!')) headers.Authorization = `Bearer ${given.get('!')}`;
  const file = given.get('@');
  if (path.startsWith('/api/uploads') && file) headers['Content-Type'] = 'application/offset+octet-stream';
  const address = target + (query.size ? `?${query}` : '');
  try {
    const answer = await fetch(address, { method: method.toUpperCase(), headers, body: file instanceof File && file.size ? file : undefined });
    const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}`);
    return `${method.toUpperCase()} ${address}\n\n${answer.status} ${answer.statusText}\n${lines.join('\n')}\n\n${await shown(answer)}`;
  } catch {
    return WORDS[language].failed;
  }
}

/** @param {Response} answer */
async function shown(answer) {
  const type = answer.headers.get('Content-Type') ?? '';
  if (/json/.test(type)) return JSON.stringify(await answer.json(), null, 2);
  if (/^text\//.test(type)) return answer.text();
  return `${(await answer.blob()).size} ${WORDS[language].bytes}`;
}

/** @param {string} name @param {Thing} schema */
function schemaSection(name, schema) {
  return make('section', { class: 'docs-operation', id: `schema-${name}` }, make('h3', {}, name),
    schema.properties ? table(['', ''], Object.entries(schema.properties).map(([key, each]) => [make('code', {}, key), shape(/** @type {Thing} */ (each))])) : make('p', {}, shape(schema)),
    schema.example ? make('pre', { tabindex: '0', 'aria-label': WORDS[language].example }, make('code', {}, JSON.stringify(schema.example, null, 2))) : null);
}

function draw() {
  const index = /** @type {HTMLElement} */ (document.getElementById('index'));
  const body = /** @type {HTMLElement} */ (document.getElementById('body'));
  index.replaceChildren();
  body.replaceChildren(make('h1', {}, api.info.title), make('p', {}, api.info.description, ' ', make('a', { href: '/api/openapi.json' }, 'openapi.json'), ' · ', make('a', { href: '/problems' }, '/problems')));
  const all = Object.entries(/** @type {Record<string, Thing>} */ (api.paths)).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
  for (const tag of api.tags) {
    const own = all.filter(({ operation }) => operation.tags.includes(tag.name));
    index.append(make('strong', {}, tag.name), make('ul', {}, ...own.map(({ operation }) => make('li', {}, make('a', { href: `#${operation.operationId}` }, operation.summary)))));
    body.append(make('h2', {}, tag.name), make('p', {}, tag.description), ...own.map(({ method, path, operation }) => drawn(method, path, operation)));
  }
  body.append(make('h2', {}, WORDS[language].schemas), ...Object.entries(api.components.schemas).map(([name, schema]) => schemaSection(name, /** @type {Thing} */ (schema))));
}

/** @param {keyof typeof WORDS} chosen */
async function show(chosen) {
  language = chosen;
  api = await (await fetch('/api/openapi.json', { headers: { 'Accept-Language': chosen } })).json();
  document.documentElement.lang = chosen;
  document.title = `API – ${api.info.title}`;
  for (const button of document.querySelectorAll('[data-language]')) button.setAttribute('aria-pressed', String(button.getAttribute('data-language') === chosen));
  draw();
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
  document.documentElement.dataset.ready = '';
}

for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => show(button.getAttribute('data-language') === 'zh-CN' ? 'zh-CN' : 'en'));
}
await show(language);

export {};
