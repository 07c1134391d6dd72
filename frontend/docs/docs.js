// @ts-check
/** The page `/api/docs`: draws `/api/openapi.json`, in groups, with a search. It loads nothing from other hosts, and sets no text as HTML. */
import { ROOT } from '../js/core/root.js';
import { loadValue, saveValue } from '../js/net/storage.js';
import { Preferences } from '../js/preferences.js';
import { el, find, setText } from '../js/ui/dom.js';
import { LANGUAGES } from './code.js';
import { Description, isFound } from './description.js';
import { operationSection, responseTable, schemaSection } from './operation.js';

/** @typedef {import('./code.js').Language} Language */

const preferences = await Preferences.load(show, 'docs');
/** Which language of code is shown, in all operations at once. @type {Language} */
let language = 'curl';
/** @type {Description} */
let description;
/** @type {ReturnType<typeof operationSection>[]} */
let shown = [];

const stored = String(loadValue('code') ?? '');
if (stored in LANGUAGES) language = /** @type {Language} */ (stored);
find('search', HTMLInputElement).addEventListener('input', search);
find('search-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const first = description.operations.find((each) => isFound(each, query()));
  if (first) location.hash = first.id;
});
window.addEventListener('hashchange', follow);
find('body', HTMLElement).addEventListener('change', ({ target }) => {
  if (target instanceof HTMLInputElement && target.value in LANGUAGES && target.name.endsWith('-language')) showLanguage(/** @type {Language} */ (target.value));
});
await show();

/** Also after each change of the language. */
async function show() {
  const { words } = preferences;
  description = new Description(await (await fetch(`${ROOT}/api/openapi.json`, { headers: { 'Accept-Language': words.language } })).json());
  draw();
  search();
  follow();
  document.documentElement.dataset.ready = '';
}

function draw() {
  const { words } = preferences;
  const { api } = description;
  const body = find('body', HTMLElement);
  shown = [];
  body.replaceChildren(el('h1', {}, words.t('docs.title')), el('p', { class: 'docs-lead' }, api.info.description, ' ', el('a', { href: `${ROOT}/api/openapi.json` }, 'openapi.json')));
  for (const { name, title, text, operations } of description.groups()) {
    const sections = operations.map((each) => operationSection(each, description, words));
    shown.push(...sections);
    body.append(el('section', { class: 'docs-group', id: `group-${name}`, 'aria-labelledby': `group-${name}-title` }, el('h2', { id: `group-${name}-title` }, title), el('p', {}, text), ...sections.map(({ section }) => section)));
  }
  body.append(
    el('section', { class: 'docs-group docs-rest' }, el('h2', { id: 'any' }, words.t('docs.any_request')), responseTable(api.components.responses, words)),
    el('section', { class: 'docs-group docs-rest' }, el('h2', { id: 'schemas' }, words.t('docs.schemas')), ...Object.entries(api.components.schemas).map(([name, schema]) => schemaSection(name, schema, words))),
  );
  drawIndex();
  showLanguage(language);
}

function drawIndex() {
  const link = (/** @type {import('./description.js').Operation} */ { id, method, operation }) =>
    el('li', {}, el('a', { href: `#${id}`, 'data-operation': id }, el('span', { class: 'docs-method', 'data-method': method.toLowerCase() }, method), operation.summary));
  find('index', HTMLElement).replaceChildren(...description.groups().map(({ name, title, operations }) =>
    el('section', { 'data-group': name }, el('h2', {}, el('a', { href: `#group-${name}` }, title)), el('ul', {}, ...operations.map(link)))));
}

/** @param {Language} chosen */
function showLanguage(chosen) {
  language = chosen;
  saveValue('code', language);
  for (const { section, form } of shown) {
    form.showCode(language);
    for (const input of section.querySelectorAll('.docs-languages input')) if (input instanceof HTMLInputElement) input.checked = input.value === language;
  }
}

function query() {
  return find('search', HTMLInputElement).value.trim();
}

/** Show what the search finds, and say how much that is. */
function search() {
  const { words } = preferences;
  const found = new Set(description.operations.filter((each) => isFound(each, query())).map(({ id }) => id));
  for (const { section } of shown) section.hidden = !found.has(section.id);
  for (const link of document.querySelectorAll('[data-operation]')) /** @type {HTMLElement} */ (link.parentElement).hidden = !found.has(link.getAttribute('data-operation') ?? '');
  for (const { name, operations } of description.groups()) {
    const is_empty = !operations.some(({ id }) => found.has(id));
    for (const group of [document.getElementById(`group-${name}`), document.querySelector(`[data-group="${name}"]`)]) if (group instanceof HTMLElement) group.hidden = is_empty;
  }
  for (const rest of document.querySelectorAll('.docs-rest')) if (rest instanceof HTMLElement) rest.hidden = query() !== '';
  setText(find('found', HTMLElement), query() ? words.t('docs.found', { n: found.size }) : '');
}

/** Go to what the address names, also where a search hides it. */
function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest('[hidden]')) {
    find('search', HTMLInputElement).value = '';
    search();
  }
  target.scrollIntoView();
  for (const link of document.querySelectorAll('.docs-index [aria-current]')) link.removeAttribute('aria-current');
  document.querySelector(`[data-operation="${CSS.escape(target.id)}"]`)?.setAttribute('aria-current', 'true');
}
