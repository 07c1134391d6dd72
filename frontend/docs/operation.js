// @ts-check
/** One operation on the page: what it takes and answers, with an example, the form, and the same request as code. */
import { el } from '../js/ui/dom.js';
import { LANGUAGES } from './code.js';
import { typeText } from './description.js';
import { TryForm } from './try-form.js';

/** @typedef {import('./description.js').Schema} Schema */
/** @typedef {import('./description.js').Operation} Operation */
/** @typedef {import('./description.js').Description} Description */
/** @typedef {import('../js/core/language.js').Words} Words */

/** @param {string[]} heads @param {(Node | string)[][]} rows */
export function table(heads, rows) {
  const line = (/** @type {'th' | 'td'} */ cell, /** @type {(Node | string)[]} */ cells) => el('tr', {}, ...cells.map((each) => el(cell, {}, each)));
  return el('div', { class: 'docs-wide', tabindex: '0' }, el('table', {}, el('thead', {}, line('th', heads)), el('tbody', {}, ...rows.map((row) => line('td', row)))));
}

/** Those that any request may get are shown once, in a table of their own. @param {Schema} responses @param {Words} words */
export const responseTable = (responses, words) => table([words.t('docs.status'), words.t('docs.meaning'), words.t('docs.type')], Object.entries(responses).filter(([, response]) => !response.$ref).map(([status, response]) => [
  el('code', {}, status), response.description.replaceAll('`', ''),
  Object.entries(/** @type {Schema} */ (response.content ?? {})).map(([type, { schema }]) => `${type}: ${typeText(schema)}`).join(', '),
]));

/** @param {Schema[]} parameters @param {Words} words */
function parameterTable(parameters, words) {
  return table([words.t('docs.name'), words.t('docs.where'), words.t('docs.type'), words.t('docs.meaning')], parameters.map((each) => [
    el('code', {}, each.name), each.in, `${typeText(each.schema)}${each.schema.default === undefined ? '' : ` = ${each.schema.default}`}`,
    `${each.description ?? ''}${each.required ? ` (${words.t('docs.required')})` : ''}`,
  ]));
}

/** @param {Operation} each @param {Description} description @param {Words} words */
export function operationSection(each, description, words) {
  const { id, method, path, operation, parameters, options } = each;
  const form = new TryForm(each, description, words);
  const example = Object.values(/** @type {Schema} */ (operation.responses)).map((response) => description.example(response.content)).find((found) => found !== undefined);
  const section = el('section', { class: 'docs-operation', id, 'aria-labelledby': `${id}-title ${id}-path` },
    el('h3', { class: 'docs-title', id: `${id}-title` }, el('a', { href: `#${id}` }, operation.summary)),
    el('p', { class: 'docs-path', id: `${id}-path` }, el('span', { class: 'docs-method', 'data-method': method.toLowerCase() }, method), el('code', {}, path)),
    ...(parameters.length || options.length ? [el('details', {}, el('summary', {}, words.t('docs.parameters')), parameterTable([...parameters, ...options], words))] : []),
    el('details', {}, el('summary', {}, words.t('docs.responses')), responseTable(operation.responses, words),
      ...(example === undefined ? [] : [el('p', {}, words.t('docs.example')), el('pre', { tabindex: '0', 'aria-label': words.t('docs.example') }, JSON.stringify(example, null, 2))])),
    el('details', { class: 'docs-try' }, el('summary', {}, words.t('docs.try_it')), form.form, form.output),
    codeBox(form, words));
  return { section, form };
}

/** @param {TryForm} form @param {Words} words */
function codeBox(form, words) {
  const choice = (/** @type {[string, {name: string}]} */ [language, { name }]) => el('label', {}, el('input', { type: 'radio', name: `${form.id}-language`, value: language }), name);
  const copy = el('button', { type: 'button', class: 'button button-small button-quiet' }, words.t('docs.copy'));
  copy.addEventListener('click', async () => {
    await navigator.clipboard?.writeText(form.code.textContent ?? '').catch(() => {});
    copy.textContent = words.t('docs.copied');
    setTimeout(() => (copy.textContent = words.t('docs.copy')), 1500);
  });
  return el('div', { class: 'docs-code' },
    el('div', { class: 'docs-code-head' }, el('fieldset', { class: 'segments docs-languages' }, el('legend', { class: 'visually-hidden' }, words.t('docs.code')), ...Object.entries(LANGUAGES).map(choice)), copy),
    el('pre', { tabindex: '0', 'aria-label': words.t('docs.code') }, form.code));
}

/** @param {string} name @param {Schema} schema @param {Words} words */
export function schemaSection(name, schema, words) {
  return el('section', { class: 'docs-operation', id: `schema-${name}` }, el('h3', {}, el('a', { href: `#schema-${name}` }, name)),
    schema.properties ? table([words.t('docs.name'), words.t('docs.type')], Object.entries(schema.properties).map(([key, each]) => [el('code', {}, key), typeText(/** @type {Schema} */ (each))])) : el('p', {}, typeText(schema)),
    ...(schema.example ? [el('details', {}, el('summary', {}, words.t('docs.example')), el('pre', { tabindex: '0', 'aria-label': words.t('docs.example') }, JSON.stringify(schema.example, null, 2)))] : []));
}
