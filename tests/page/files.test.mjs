// @ts-check
/** The page's files: weight, rooms, vendored code, and what a content security policy without exceptions asks of them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const FRONTEND = new URL('../../frontend/', import.meta.url);
const JS_BUDGET_BYTES = 45_000;
const CSS_BUDGET_BYTES = 8000;

/** @param {string} path */
const read = (path) => readFileSync(new URL(path, FRONTEND), 'utf8');
/** @param {string} path */
const weight = (path) => weightOf(read(path));
/** @param {string} text */
const weightOf = (text) => gzipSync(text, { level: 9 }).length;
/** @param {RegExp} pattern */
const list = (pattern) => readdirSync(FRONTEND, { recursive: true, encoding: 'utf8' }).filter((path) => pattern.test(path)).sort();
/** @param {string} path */
const imports = (path) => [...read(path).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target]) => new URL(target, new URL(path, FRONTEND)).href.replace(FRONTEND.href, ''));

const page = read('index.html').replace('<!-- header -->', read('header.html'));

/** Everything that a module loads before the page is ready. @param {string} path @param {Set<string>} [found] */
function statics(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  const targets = [...read(path).matchAll(/^(?:import|export)\s[^;]*?'(\.[^']+)'/gms)].map(([, target]) => new URL(target, new URL(path, FRONTEND)).href.replace(FRONTEND.href, ''));
  for (const target of targets) statics(target, found);
  return found;
}

test('the scripts of the first view weigh at most 45 kB compressed, Socket.IO and the larger language among them', () => {
  const language = Math.max(...list(/^i18n\//).map((path) => weightOf(JSON.stringify(JSON.parse(read(path)).page))));
  const bytes = [...statics('js/main.js'), 'js/early.js', ...list(/^vendor\/.*\.js$/)].reduce((sum, path) => sum + weight(path), language);
  assert.ok(bytes <= JS_BUDGET_BYTES, `${bytes} bytes`);
});

test('the texts of the first view are in the part that is loaded with it', () => {
  const shown = [...statics('js/main.js')].map(read).join('\n') + page;
  const { page: known, ...others } = JSON.parse(read('i18n/en.json'));
  const later = Object.values(others).flatMap((texts) => Object.keys(texts));
  assert.ok(Object.keys(known).length > 40 && later.length > 80);
  assert.deepEqual(later.filter((key) => shown.includes(`'${key}'`) || shown.includes(`"${key}"`)), []);
});

test('the styles of the first view weigh at most 8 kB compressed', () => {
  const bytes = [...page.matchAll(/css\/\w+\.css/g)].map(String).reduce((sum, path) => sum + weight(path), 0);
  assert.ok(bytes <= CSS_BUDGET_BYTES, `${bytes} bytes`);
});

test('what is loaded on demand is not loaded at first', () => {
  const first = statics('js/main.js');
  for (const path of ['js/gallery.js', 'js/settings-panel.js', 'js/ui/settings-form.js', 'js/estimates.js', 'js/core/settings-address.js', 'js/core/settings-query.js', 'js/core/variants.js', 'js/ui/variant-list.js', 'js/net/resumable-upload.js', 'js/ui/compare.js', 'js/net/zip.js', 'js/ui/confirmation.js', 'js/ui/save.js']) assert.ok(!first.has(path), path);
});

test('the rooms keep their walls: core imports core, net never ui, ui never net', () => {
  const allowed = /** @type {Record<string, RegExp>} */ ({ core: /^js\/core\//, net: /^(js\/(core|net)|vendor)\//, ui: /^js\/(core|ui)\// });
  for (const [room, pattern] of Object.entries(allowed)) {
    for (const path of list(new RegExp(`^js/${room}/.*\\.js$`))) {
      for (const target of imports(path)) assert.match(target, pattern, `${path} imports ${target}`);
    }
  }
});

test('core and net never touch the document, ui never talks', () => {
  for (const path of list(/^js\/(core|net)\//)) assert.doesNotMatch(read(path), /\bdocument\.|\bquerySelector/, path);
  for (const path of list(/^js\/ui\//)) assert.doesNotMatch(read(path), /\bfetch\(|XMLHttpRequest|WebSocket|localStorage|indexedDB/, path);
});

test('core asks neither clock nor chance', () => {
  for (const path of list(/^js\/core\//)) assert.doesNotMatch(read(path), /Date\.now|new Date\(|Math\.random|setTimeout|crypto\./, path);
});

test('no text is ever parsed as markup', () => {
  for (const path of list(/^js\/.*\.js$/)) assert.doesNotMatch(read(path), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, path);
});

test('the HTML has no inline script, no inline style and no foreign address', () => {
  assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)/i);
  assert.doesNotMatch(page, /\sstyle=|<style/i);
  assert.doesNotMatch(page, /\son\w+="/i);
  assert.doesNotMatch(page, /(?:src|href|action)="(?:https?:)?\/\//i);
});

test('every script is checked for types, and every file that the HTML names exists', () => {
  for (const path of list(/^js\/.*\.js$/)) if (path !== 'js/early.js') assert.match(read(path), /^\/\/ @ts-check/, path);
  for (const [, path] of page.matchAll(/(?:src|href)="\/static\/([^"]+)"/g)) assert.ok(read(path).length > 0, path);
  for (const [, name] of (page + list(/^js\/ui\//).map(read).join('')).matchAll(/#icon-([a-z]+)/g)) assert.ok(page.includes(`id="icon-${name}"`), name);
});

test('vendored files are those of the lock, byte for byte', () => {
  const lines = read('vendor/VENDOR.lock').split('\n').filter((line) => line && !line.startsWith('#'));
  const locked = lines.map((line) => line.split(' '));
  for (const [, , path, hash] of locked) {
    assert.equal(`sha384-${createHash('sha384').update(readFileSync(new URL(`vendor/${path}`, FRONTEND))).digest('base64')}`, hash, path);
  }
  assert.deepEqual(list(/^vendor\/.+\/.+/), locked.map(([, , path]) => `vendor/${path}`).sort());
});
