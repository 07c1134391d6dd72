// @ts-check
/** What a phone shared with the installed page: its service worker has put it into a cache, from which it is taken once. */
import { ROOT } from '../core/root.js';

const SHARED = 'shared';

/**
 * Only over TLS or on this machine do browsers know service workers. It gets what is shared and nothing else: a request with `keepalive` that has to
 * pass a service worker is lost when its page is left (Chromium 156).
 */
export function startServiceWorker() {
  navigator.serviceWorker?.register(`${ROOT}/service-worker.js`, { scope: `${ROOT}/share` }).catch(() => {});
}

/** @returns {Promise<File[]>} none where the page was not opened by a share */
export async function takeSharedFiles() {
  if (!new URLSearchParams(location.search).has('shared')) return [];
  history.replaceState(null, '', location.pathname + location.hash);
  const cache = await caches.open(SHARED);
  const files = await Promise.all((await cache.keys()).map(async (request) => {
    const response = await cache.match(request);
    const name = decodeURIComponent(response?.headers.get('X-File-Name') ?? '');
    return new File([await response?.blob() ?? ''], name || 'image', { type: response?.headers.get('Content-Type') ?? '' });
  }));
  await caches.delete(SHARED);
  return files;
}
