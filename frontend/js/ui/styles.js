// @ts-check
/** Style sheets that are loaded on demand. */
import { ROOT } from '../core/root.js';
import { el } from './dom.js';

/** @type {Map<string, Promise<unknown>>} */
const loading = new Map();

/** @param {...string} names of files in `css/` */
export function loadStyles(...names) {
  return Promise.all(names.map((name) => {
    if (!loading.has(name)) loading.set(name, load(name));
    return loading.get(name);
  }));
}

/** @param {string} name */
function load(name) {
  const link = el('link', { rel: 'stylesheet', href: `${ROOT}/static/css/${name}.css` });
  document.head.append(link);
  return new Promise((resolve) => ['load', 'error'].forEach((end) => link.addEventListener(end, resolve)));
}
