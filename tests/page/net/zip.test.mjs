// @ts-check
/** The ZIP of all results. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { dosTime, packZip, uniqueNames } from '../../../frontend/js/net/zip.js';

test('files of the same name do not overwrite each other in the ZIP', () => {
  assert.deepEqual(uniqueNames(['a.webp', 'A.webp', 'a.webp', 'b.webp']), ['a.webp', 'A (2).webp', 'a (3).webp', 'b.webp']);
});

test('the ZIP of a chosen folder has its folders, and the dates of its files, as Python reads it', async () => {
  const modified = new Date(2026, 2, 14, 9, 26, 54);
  const api = /** @type {any} */ ({ fetchBlob: async (/** @type {string} */ path) => new Blob([path]) });
  const zip = await packZip([
    { name: 'holiday/beach/a.webp', path: '/1', modified_ms: modified.getTime() }, { name: 'holiday/b.webp', path: '/2', modified_ms: 0 },
  ], api, () => {});
  const code = 'import json, sys, zipfile, io; z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())); assert z.testzip() is None; print(json.dumps([[i.filename, i.date_time] for i in z.infolist()]))';
  const said = execFileSync('python3', ['-c', code], { input: Buffer.from(await (/** @type {Blob} */ (zip)).arrayBuffer()), encoding: 'utf8' });
  assert.deepEqual(JSON.parse(said), [['holiday/beach/a.webp', [2026, 3, 14, 9, 26, 54]], ['holiday/b.webp', [1980, 1, 1, 0, 0, 0]]]);
});

test('a date that the format does not know becomes the nearest that it does', () => {
  assert.deepEqual(dosTime(new Date(2300, 0, 2, 3, 4, 5)), [127 << 9 | 1 << 5 | 2, 3 << 11 | 4 << 5 | 2]);
});
