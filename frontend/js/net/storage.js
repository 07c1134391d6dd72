// @ts-check
/**
 * What the browser keeps between two visits: choices and known jobs in localStorage, files not yet taken by the gateway in IndexedDB.
 * A browser that keeps nothing (private mode, full disk) costs the memory and nothing else, so every failure here is swallowed.
 */

/** @typedef {{job: string, name: string, bytes: number, type: string, options: Record<string, string>, picture: string}} StoredJob */
/** @typedef {{id: string, key: string, name: string, type: string, options: Record<string, string>, file: Blob}} StoredFile */

const PREFIX = 'webp-gateway.';
const DATABASE = 'webp-gateway';
const FILES = 'files';
/** A file above this is not copied into the browser's store. */
export const LARGEST_STORED_FILE_BYTES = 128 * 1024 * 1024;

/** @param {string} name @returns {unknown} */
export function loadValue(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name) ?? 'null');
  } catch {
    return null;
  }
}

/** @param {string} name @param {unknown} value */
export function saveValue(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Full or forbidden: see above.
  }
}

/** @returns {StoredJob[]} */
export function loadJobs() {
  const stored = loadValue('jobs');
  return Array.isArray(stored) ? stored.filter((each) => each && typeof each.job === 'string' && typeof each.name === 'string') : [];
}

/** @param {StoredJob[]} jobs */
export function saveJobs(jobs) {
  saveValue('jobs', jobs);
}

/** What is known of uploads under way, by item. @typedef {Record<string, {upload: string, is_paused: boolean}>} StoredUploads */

/** @returns {StoredUploads} */
export function loadUploads() {
  const stored = loadValue('uploads');
  return stored && typeof stored === 'object' ? /** @type {StoredUploads} */ (stored) : {};
}

/** @param {StoredUploads} uploads */
export function saveUploads(uploads) {
  saveValue('uploads', uploads);
}

/** The key lives as long as the tab. @returns {string} */
export function loadKey() {
  try {
    return sessionStorage.getItem(`${PREFIX}key`) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} key */
export function saveKey(key) {
  try {
    sessionStorage.setItem(`${PREFIX}key`, key);
  } catch {
    // See above.
  }
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(FILES, { keyPath: 'id' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} use
 * @returns {Promise<T | null>}
 */
async function withFiles(mode, use) {
  try {
    const database = await openDatabase();
    return await new Promise((resolve) => {
      const request = use(database.transaction(FILES, mode).objectStore(FILES));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
      request.transaction?.addEventListener('complete', () => database.close());
    });
  } catch {
    return null;
  }
}

/** @param {StoredFile} kept */
export const saveFile = (kept) => withFiles('readwrite', (store) => store.put(kept));
/** @param {string} id */
export const deleteFile = (id) => withFiles('readwrite', (store) => store.delete(id));
export const hasFiles = async () => (await withFiles('readonly', (store) => store.count()) ?? 0) > 0;
/** @returns {Promise<StoredFile[]>} */
export const loadFiles = async () => /** @type {StoredFile[] | null} */ (await withFiles('readonly', (store) => store.getAll())) ?? [];
