// @ts-check
/**
 * The panel that takes images: by button, folder, camera, drop on the whole page, paste, or address. Events: `files-chosen` (File[]),
 * `url-chosen` (string), `sample-chosen` (name of its file), `input-refused` (key of a text), and `picker-approached` once, shortly before the first of them is likely.
 */
import { emit, find, setText } from './dom.js';
import { acceptAttribute, formatNames, hasFeature } from '../core/capabilities.js';

/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */

/** @param {Capabilities} capabilities @param {Words} words */
export function showPicker(capabilities, words) {
  const limits = { formats: words.list(formatNames(capabilities)), size: words.limit(capabilities.limits.upload_bytes) };
  setText(find('limits', HTMLElement), words.t('drop.limits', limits));
  setText(find('picker-privacy', HTMLElement), words.t('drop.privacy', { period: words.period(capabilities.retention_s) }));
  find('file-input', HTMLInputElement).accept = acceptAttribute(capabilities);
  find('open-url', HTMLElement).hidden = !hasFeature(capabilities, 'url');
}

/** The panel shrinks once there is a list. @param {boolean} is_compact */
export function compactPicker(is_compact) {
  document.documentElement.classList.toggle('has-items', is_compact);
}

/** @param {() => Words} words */
export function listenToPicker(words) {
  listenToFileInputs();
  listenToDrops(words);
  listenToPaste();
  listenToUrl();
  listenToSamples();
  listenToApproach();
}

/** While a pointer or the focus is on its way to a button, there is time to load the scripts that an image needs. */
function listenToApproach() {
  const picker = find('picker', HTMLElement);
  for (const name of ['pointerenter', 'focusin']) picker.addEventListener(name, () => emit(picker, 'picker-approached'), { once: true });
  document.addEventListener('dragenter', () => emit(picker, 'picker-approached'), { once: true });
}

function listenToFileInputs() {
  for (const [button, input] of [['choose', 'file-input'], ['choose-folder', 'folder-input'], ['take-photo', 'camera-input']]) {
    const field = find(input, HTMLInputElement);
    find(button, HTMLElement).addEventListener('click', () => field.click());
    field.addEventListener('change', () => {
      emit(field, 'files-chosen', [...(field.files ?? [])]);
      field.value = '';
    });
  }
}

/** @param {() => Words} words */
function listenToDrops(words) {
  const overlay = find('overlay', HTMLElement);
  let depth = 0;
  const show = (/** @type {boolean} */ is_shown) => { overlay.hidden = !is_shown; };
  document.addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    setText(find('overlay-text', HTMLElement), overlayText(event, words()));
    show(true);
  });
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
  });
  document.addEventListener('dragleave', (event) => {
    if (hasFiles(event) && (depth -= 1) <= 0) show(false);
  });
  document.addEventListener('drop', async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    emit(document, 'files-chosen', await droppedFiles(event));
  });
}

/** @param {DragEvent} event */
const hasFiles = (event) => event.dataTransfer?.types.includes('Files') ?? false;

/** @param {DragEvent} event @param {Words} words */
function overlayText(event, words) {
  const count = [...(event.dataTransfer?.items ?? [])].filter((each) => each.kind === 'file').length;
  return count > 0 ? words.t('drop.overlay', { n: count }) : words.t('drop.overlay_any');
}

/** The dropped files, and the files in dropped folders. @param {DragEvent} event @returns {Promise<File[]>} */
async function droppedFiles(event) {
  const items = [...(event.dataTransfer?.items ?? [])];
  const entries = items.map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry !== null && entry !== undefined);
  const files = [...(event.dataTransfer?.files ?? [])];
  if (!entries.some((entry) => entry.isDirectory)) return files;
  try {
    return (await Promise.all(entries.map(filesOf))).flat();
  } catch {
    emit(document, 'input-refused', 'drop.folder_unreadable');
    return [];
  }
}

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesOf(entry) {
  if (entry.isFile) return [withPath(await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject)), entry)];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const files = [];
  for (;;) {
    // Chromium returns at most a hundred entries at a time, and none at the end.
    const part = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return files;
    files.push(...(await Promise.all(part.map(filesOf))).flat());
  }
}

/** A dropped file knows no folders, unlike one of a chosen folder. @param {File} file @param {FileSystemEntry} entry */
const withPath = (file, entry) => Object.defineProperty(file, 'webkitRelativePath', { value: entry.fullPath.replace(/^\//, '') });

function listenToPaste() {
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    emit(document, 'files-chosen', files);
  });
  const button = find('paste', HTMLElement);
  button.hidden = typeof navigator.clipboard?.read !== 'function';
  button.addEventListener('click', async () => {
    const files = await clipboardFiles();
    if (files.length > 0) emit(button, 'files-chosen', files);
    else emit(button, 'input-refused', 'drop.paste_empty');
  });
}

async function clipboardFiles() {
  try {
    const files = [];
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((each) => each.startsWith('image/'));
      if (type) files.push(new File([await item.getType(type)], type.replace('/', '.'), { type }));
    }
    return files;
  } catch {
    return [];
  }
}

function listenToSamples() {
  find('samples', HTMLElement).addEventListener('click', (event) => {
    const sample = event.target instanceof Element && event.target.closest('button')?.dataset.sample;
    if (sample) emit(document, 'sample-chosen', sample);
  });
}

function listenToUrl() {
  const button = find('open-url', HTMLElement);
  const form = find('url-form', HTMLFormElement);
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem('url'));
  button.addEventListener('click', () => {
    form.hidden = !form.hidden;
    button.setAttribute('aria-expanded', String(!form.hidden));
    if (!form.hidden) input.focus();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const is_valid = /^https?:\/\/./i.test(input.value.trim()) && URL.canParse(input.value.trim());
    if (!is_valid) return emit(form, 'input-refused', 'url.invalid');
    emit(form, 'url-chosen', input.value.trim());
    form.reset();
  });
}
