// @ts-check
/**
 * Takes what a phone shares with the installed page. Its scope is that address, so no request of the page passes here, and nothing of the page is
 * kept: an upgraded gateway never meets an older page. The page finds the files in the cache `shared` (see `net/shared-files.js`).
 */
const SHARED = 'shared';
/** A service worker's globals are not a page's. */
const worker = /** @type {any} */ (self);

worker.addEventListener('install', () => worker.skipWaiting());
worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const page = new URL('./', worker.registration.scope);
  if (event.request.method === 'POST' && event.request.url === `${page}share`) event.respondWith(keepShared(event.request, page));
});

/** @param {Request} request a form whose files are named `file` @param {URL} page */
async function keepShared(request, page) {
  const files = (await request.formData()).getAll('file').filter((each) => each instanceof File);
  const cache = await caches.open(SHARED);
  for (const [index, file] of files.entries()) {
    const headers = { 'Content-Type': file.type || 'application/octet-stream', 'X-File-Name': encodeURIComponent(file.name) };
    await cache.put(new URL(`share/${Date.now()}-${index}`, page), new Response(file, { headers }));
  }
  return Response.redirect(`${page}?shared`, 303);
}
