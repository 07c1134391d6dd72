// @ts-check
/** What a hostile page tries, and the sites that it lies on. Its functions run in the page, so each stands alone. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';

const CLIENT = readFileSync(new URL('../node_modules/socket.io-client/dist/socket.io.min.js', import.meta.url), 'utf8');

/** @typedef {{target: string, job: string, waiting: string, png: string, wait_ms: number}} Aim where the gateway is, and the jobs of the one who is attacked */

/** A web server of somebody else's. `/silent` never answers, so that a fetch of it waits. @param {number} port */
export async function startSite(port) {
  const server = createServer((request, response) => {
    if (request.url === '/silent') return;
    const is_script = request.url === '/client.js';
    response.setHeader('Content-Type', is_script ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(is_script ? CLIENT : '<!doctype html><title>Kittens</title><script src="/client.js"></script><p>Look at my kittens.');
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A port that leads to one place first and to another later, as a name does that is rebound. @param {number} first @param {number} later */
export async function startRebound(first, later) {
  /** @type {Set<import('node:net').Socket>} */
  const open = new Set();
  const state = { place: first };
  const server = createTcpServer((client) => {
    const to = connect(state.place, '127.0.0.1');
    for (const [one, other] of [[client, to], [to, client]]) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => open.delete(one));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    rebind() {
      state.place = later;
      open.forEach((each) => each.destroy());
    },
    stop() {
      server.close();
      open.forEach((each) => each.destroy());
    },
  };
}

/**
 * Everything that a script can ask for. What the page learnt is in the answer, by way: a text that it could read, or `open`.
 * @param {Aim} aim
 */
export async function attackByScript({ target, job, waiting, png, wait_ms }) {
  const own = `${target}/api/jobs/${job}`;
  const image = () => new Blob([Uint8Array.from(atob(png), (each) => each.charCodeAt(0))], { type: 'text/plain' });
  const form = () => {
    const data = new FormData();
    data.append('file', image(), 'kitten.png');
    return data;
  };
  /** @type {[string, string, RequestInit][]} */
  const requests = [
    ['list', `${target}/api/jobs`, {}],
    ['list by cookie', `${target}/api/jobs`, { credentials: 'include' }],
    ['read', own, {}],
    ['result', `${own}/result`, {}],
    ['source', `${own}/source`, {}],
    ['events', `${own}/events`, {}],
    ['figures', `${target}/metrics`, {}],
    ['health', `${target}/api/health`, {}],
    ['make by form', `${target}/api/jobs`, { method: 'POST', body: form() }],
    ['make by text', `${target}/api/jobs`, { method: 'POST', body: image() }],
    ['make without scripts', `${target}/`, { method: 'POST', body: form() }],
    ['convert', `${target}/api/convert`, { method: 'POST', body: form() }],
    ['put', `${target}/api/convert`, { method: 'PUT', body: image() }],
    ['make by address', `${target}/api/jobs`, { method: 'POST', body: JSON.stringify({ url: `${location.origin}/silent` }), headers: { 'Content-Type': 'application/json' } }],
    ['retry', `${own}/retry`, { method: 'POST' }],
    ['retry by form', `${own}/retry`, { method: 'POST', body: new URLSearchParams({ quality: '1' }) }],
    ['cancel', `${target}/api/jobs/${waiting}/cancel`, { method: 'POST' }],
    ['cancel without scripts', `${target}/plain/jobs/${waiting}/cancel`, { method: 'POST' }],
    ['resumable', `${target}/api/uploads`, { method: 'POST', headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '9' } }],
    ['delete', own, { method: 'DELETE' }],
    ['delete the other', `${target}/api/jobs/${waiting}`, { method: 'DELETE' }],
    ['delete by another method', own, { method: 'POST', headers: { 'X-HTTP-Method-Override': 'DELETE' } }],
  ];
  /** @type {Record<string, string>} */
  const learnt = {};
  const tell = (/** @type {string} */ way, /** @type {string} */ what) => {
    learnt[way] = what;
  };
  const within = (/** @type {Promise<unknown>} */ work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, wait_ms))]);
  for (const mode of /** @type {RequestMode[]} */ (['cors', 'no-cors'])) {
    await Promise.all(requests.map(([way, address, given]) => {
      const ask = fetch(address, { ...given, mode, signal: AbortSignal.timeout(wait_ms) })
        .then(async (answer) => answer.ok && tell(`${way}, ${mode}`, `${answer.status} ${(await answer.text()).slice(0, 60)}`));
      return within(ask.catch(() => {}));
    }));
  }
  navigator.sendBeacon(`${target}/api/jobs`, form());
  navigator.sendBeacon(`${target}/api/jobs/${waiting}/cancel`);
  const opened = (/** @type {string} */ way, /** @type {EventTarget} */ source) => within(new Promise((resolve) => {
    source.addEventListener('open', () => resolve(tell(way, 'open')));
    source.addEventListener('error', resolve);
  }));
  const socket = target.replace(/^http/, 'ws');
  const stream = new EventSource(`${own}/events`);
  const sockets = [new WebSocket(`${socket}/api/jobs/${job}/ws`), new WebSocket(`${socket}/socket.io/?EIO=4&transport=websocket`)];
  await Promise.all([opened('event stream', stream), ...sockets.map((each, number) => opened(`socket ${number}`, each))]);
  [stream, ...sockets].forEach((each) => each.close());
  for (const transports of [['polling'], ['websocket']]) {
    const client = /** @type {any} */ (globalThis).io(target, { transports, reconnection: false, timeout: wait_ms });
    await within(new Promise((resolve) => {
      client.on('connect', () => {
        tell(`Socket.IO ${transports}`, 'open');
        client.emit('cancel', { job: waiting }, resolve);
      });
      client.on('connect_error', resolve);
    }));
    client.close();
  }
  return learnt;
}

/**
 * Everything that elements can ask for: forms of each kind, into frames and new windows, and what can be embedded.
 * @param {Aim} aim
 */
export async function attackByElements({ target, job, waiting, png, wait_ms }) {
  const own = `${target}/api/jobs/${job}`;
  /** @type {Record<string, string>} */
  const learnt = {};
  /** @template {keyof HTMLElementTagNameMap} Name @param {Name} name @param {Record<string, string>} given */
  const add = (name, given) => document.body.appendChild(Object.assign(document.createElement(name), given));
  /** @param {string} action @param {string} enctype @param {string} where */
  const send = (action, enctype, where) => {
    const form = add('form', { action, method: 'post', enctype, target: where });
    const input = Object.assign(document.createElement('input'), { type: 'file', name: 'file' });
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(atob(png), (each) => each.charCodeAt(0))], 'kitten.png', { type: 'image/png' }));
    input.files = files.files;
    form.append(input, Object.assign(document.createElement('input'), { name: 'quality', value: '1' }));
    form.submit();
  };
  const loads = [];
  const kinds = ['multipart/form-data', 'application/x-www-form-urlencoded', 'text/plain'];
  const actions = [`${target}/api/jobs`, `${target}/`, `${target}/api/convert`, `${own}/retry`, `${target}/api/jobs/${waiting}/cancel`, `${target}/plain/jobs/${waiting}/cancel`];
  const meta = document.head.appendChild(Object.assign(document.createElement('meta'), { name: 'referrer' }));
  for (const enctype of kinds) {
    for (const action of actions) {
      const name = `frame-${loads.length}`;
      const frame = add('iframe', { name });
      loads.push(new Promise((resolve) => frame.addEventListener('load', resolve)));
      meta.content = loads.length % 2 ? 'no-referrer' : 'unsafe-url'; // with the first, a form's Origin is null
      send(action, enctype, name);
    }
  }
  send(`${target}/api/jobs`, 'multipart/form-data', '_blank');
  const page = add('iframe', { src: `${target}/` });
  const result = add('iframe', { src: `${own}/result` });
  const sandbox = add('iframe', { sandbox: 'allow-scripts allow-forms', srcdoc: `<form action="${own}/retry" method="post"></form><script>document.forms[0].submit()</script>` });
  const image = add('img', { src: `${own}/result` });
  const script = add('script', { src: `${target}/api/jobs` });
  const sheet = add('link', { rel: 'stylesheet', href: `${target}/static/css/base.css` });
  for (const each of [page, result, sandbox, image, script, sheet]) {
    loads.push(new Promise((resolve) => ['load', 'error'].forEach((end) => each.addEventListener(end, resolve))));
  }
  await Promise.race([Promise.all(loads), new Promise((resolve) => setTimeout(resolve, wait_ms))]);
  await new Promise((resolve) => setTimeout(resolve, 500)); // the new window, and the form in the sandbox
  /** @param {string} way @param {() => unknown} look */
  const tell = (way, look) => {
    try {
      if (look()) learnt[way] = 'read';
    } catch {
      // The browser lets nobody look.
    }
  };
  for (const frame of [page, result]) tell(frame.src, () => frame.contentDocument?.body?.textContent || frame.contentDocument?.images.length);
  tell('image', () => image.naturalWidth);
  for (const each of document.styleSheets) tell(`sheet ${each.href}`, () => each.cssRules.length);
  return learnt;
}
