// @ts-check
/**
 * What the browser stores between two visits: choices and known jobs in localStorage, files that the gateway does not have yet in IndexedDB.
 * A browser may refuse to store anything (private mode, full disk). Then a reload starts afresh and nothing else breaks: no failure is reported.
 */

/** @typedef {{job: string, place?: number, name: string, folder?: string, modified_ms?: number, bytes: number, type: string, options: Record<string, string>, picture: string}} StoredJob */
/** @typedef {{id: string, key: string, place?: number, name: string, folder?: string, modified_ms?: number, type: string, options: Record<string, string>, file: Blob}} StoredFile */
/** @typedef {Record<string, {upload: string, is_paused: boolean}>} StoredUploads uploads under way, by item */

const PREFIX = 'webp-gateway.';
const DATABASE = 'webp-gateway';
const FILES = 'files';
/** A larger file is not stored. */
export const LARGEST_STORED_FILE_BYTES = 128 * 1024 * 1024;

/** @param {string} name @returns {unknown} null when there is none */
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
    // Full or forbidden: see the top.
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

/** @returns {StoredUploads} */
export function loadUploads() {
  const stored = loadValue('uploads');
  return stored && typeof stored === 'object' ? /** @type {StoredUploads} */ (stored) : {};
}

/** @param {StoredUploads} uploads */
export function saveUploads(uploads) {
  saveValue('uploads', uploads);
}

/** The API key, or empty. It lives as long as the tab. */
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
    // Full or forbidden: see the top.
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
 * @returns {Promise<T | null>} null when it failed
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

/** @param {StoredFile} stored */
export const saveFile = (stored) => withFiles('readwrite', (store) => store.put(stored));
/** @param {string} id */
export const deleteFile = (id) => withFiles('readwrite', (store) => store.delete(id));
export const hasFiles = async () => (await withFiles('readonly', (store) => store.count()) ?? 0) > 0;
/** @returns {Promise<StoredFile[]>} */
export const loadFiles = async () => /** @type {StoredFile[] | null} */ (await withFiles('readonly', (store) => store.getAll())) ?? [];
