// @ts-check
/** The page's pure rules: the life of a file, arithmetic of progress, time left, totals, turns, options, words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { savedPercent, totalsOf } from '../../frontend/js/core/batch.js';
import { isSystemFile, problemOfFile } from '../../frontend/js/core/file-checks.js';
import { advance, createItem } from '../../frontend/js/core/item.js';
import { Words, pickLanguage } from '../../frontend/js/core/language.js';
import { updateEta, secondsLeft, startEta } from '../../frontend/js/core/eta.js';
import { NOTHING_ANNOUNCED, failureText, nextAnnouncement, delayBeforeSpeaking } from '../../frontend/js/core/announcements.js';
import { DEFAULTS, queryOf, readSettings } from '../../frontend/js/core/options.js';
import { problemOfStatus, sentenceOf } from '../../frontend/js/core/problem.js';
import { TRANSITIONS, canCancel, isFinal, isSending } from '../../frontend/js/core/states.js';
import { delayBefore, mayRetry, nextUploads, readRetryAfter } from '../../frontend/js/core/retry-policy.js';
import { otherFormat, resultName, splitName, stageText } from '../../frontend/js/core/status-text.js';
import { canPan, fitScale, fitView, panBy, zoomTo } from '../../frontend/js/core/zoom.js';
import { readEvent } from '../../frontend/js/net/event-stream.js';
import { uniqueNames } from '../../frontend/js/net/zip.js';
import en from '../../frontend/i18n/en.js';
import zh from '../../frontend/i18n/zh-CN.js';

/** @typedef {import('../../frontend/js/core/types.js').Item} Item */
/** @typedef {import('../../frontend/js/core/types.js').Job} Job */
/** @typedef {import('../../frontend/js/core/item.js').Fact} Fact */

const english = new Words('en', en);
const chinese = new Words('zh-CN', zh);
/** @type {import('../../frontend/js/core/types.js').Capabilities} */
const capabilities = {
  version: '1', auth: false, retention_s: 86_400,
  formats: [{ name: 'jpeg', media_type: 'image/jpeg', extensions: ['jpg', 'jpeg'] }, { name: 'webp', media_type: 'image/webp', extensions: ['webp'] }],
  limits: { upload_bytes: 67_108_864, pixels: 50_000_000, frames: 256, side_pixels: 16383, files_per_request: 100 },
  options: { quality: {}, method: {}, lossless: {}, width: {}, height: {} },
};

/** @param {Partial<Item>} [more] */
const item = (more) => createItem({ id: 'a', name: 'cat.png', bytes: 1000, ...more });

/** @param {Partial<Job>} more @returns {Job} */
const job = (more) => ({ id: 'j', state: 'queued', progress: 0, seq: 1, ...more });

/** @param {Item} start @param {...any} facts */
const after = (start, ...facts) => facts.reduce((now, fact) => advance(now, { at_ms: 0, ...fact }), start);

/** @param {Partial<Job>} more */
const seen = (more) => ({ type: 'job_seen', job: job(more) });

test('a file goes from the choice to the result', () => {
  const states = [];
  let now = item();
  for (const fact of [
    { type: 'upload_started' }, { type: 'bytes_sent', sent_bytes: 400 }, { type: 'body_sent' }, seen({ queue_position: 3 }),
    seen({ state: 'running', stage: 'decode', progress: 5, seq: 2 }), seen({ state: 'running', stage: 'transform', progress: 12, seq: 3 }),
    seen({ state: 'running', stage: 'encode', progress: 60, seq: 4 }), seen({ state: 'running', stage: 'store', progress: 99, seq: 5 }),
    seen({ state: 'succeeded', progress: 100, seq: 6 }), { type: 'result_answered' },
  ]) {
    now = after(now, fact);
    states.push(now.state);
  }
  assert.deepEqual(states, ['uploading', 'uploading', 'verifying', 'queued', 'decoding', 'transforming', 'encoding', 'saving', 'confirming', 'done']);
  assert.equal(now.percent, 100);
});

test('percent is below 100 until the result answers, whatever the job says', () => {
  const confirming = after(item(), { type: 'upload_started' }, { type: 'body_sent' }, seen({ state: 'succeeded', progress: 100, seq: 9 }));
  assert.equal(confirming.state, 'confirming');
  assert.ok(confirming.percent < 100 && confirming.progress < 100);
  assert.equal(after(confirming, { type: 'result_answered' }).percent, 100);
});

test('percent and progress never fall, though events come late, twice or in disorder', () => {
  let now = after(item(), { type: 'upload_started' });
  let last = now;
  const facts = [
    { type: 'bytes_sent', sent_bytes: 700 }, { type: 'bytes_sent', sent_bytes: 300 }, { type: 'body_sent' }, seen({ seq: 2 }),
    seen({ state: 'running', stage: 'encode', progress: 40, seq: 5 }), seen({ state: 'running', stage: 'encode', progress: 20, seq: 4 }),
    seen({ state: 'running', stage: 'decode', progress: 3, seq: 6 }), seen({ state: 'running', stage: 'encode', progress: 41, seq: 7 }),
  ];
  for (const fact of facts) {
    now = after(now, fact);
    assert.ok(now.percent >= last.percent && now.progress >= last.progress);
    last = now;
  }
  assert.equal(now.progress, 41);
});

test('an upload that breaks keeps its percent and starts its bytes anew', () => {
  const half = after(item(), { type: 'upload_started' }, { type: 'bytes_sent', sent_bytes: 500, at_ms: 10 });
  const again = after(half, { type: 'broke', problem: { code: 'network_lost' }, retry_at_ms: 500 }, { type: 'resumed' }, { type: 'upload_started' });
  assert.equal(again.sent_bytes, 0);
  assert.equal(again.percent, half.percent);
  assert.equal(again.attempt, 1);
  assert.equal(again.key, half.key);
});

test('a resumable upload keeps what the gateway acknowledged, and what it shows waits until the rest is made good', () => {
  const facts = [
    { type: 'upload_started' }, { type: 'upload_opened', upload: '/api/uploads/u' }, { type: 'bytes_kept', kept_bytes: 0 }, { type: 'bytes_sent', sent_bytes: 600 },
    { type: 'bytes_kept', kept_bytes: 400 }, { type: 'bytes_sent', sent_bytes: 700 }, { type: 'broke', problem: { code: 'network_lost' }, retry_at_ms: 5 },
    { type: 'resumed' }, { type: 'upload_started' }, { type: 'bytes_kept', kept_bytes: 500 }, { type: 'bytes_sent', sent_bytes: 650 },
  ];
  const now = after(item(), ...facts);
  assert.deepEqual([now.kept_bytes, now.sent_bytes, now.upload, now.attempt], [500, 700, '/api/uploads/u', 0]);
  assert.equal(after(now, { type: 'bytes_sent', sent_bytes: 900 }).sent_bytes, 900);
  assert.equal(after(now, { type: 'upload_opened', upload: '/api/uploads/v' }).sent_bytes, 0, 'a lost upload begins anew');
});

test('what is paused is neither sent nor ended, and goes on when asked', () => {
  const paused = after(item(), { type: 'upload_started' }, { type: 'paused' });
  assert.deepEqual(nextUploads([paused]), []);
  assert.equal(after(paused, { type: 'bytes_sent', sent_bytes: 9 }), paused);
  assert.equal(after(paused, { type: 'resumed' }).state, 'waiting');
  assert.equal(after(paused, { type: 'cancelled' }).state, 'cancelled');
  const totals = totalsOf([paused, item({ state: 'uploading' })]);
  assert.deepEqual([totals.paused, totals.pausable, totals.running], [1, 1, 2]);
});

test('a source that is gone is sent instead', () => {
  const known = after(item(), { type: 'upload_started' }, { type: 'known', origin: 'j' }, { type: 'body_sent' });
  assert.match(stageText({ ...known, has_file: true }, capabilities, english, 0), /not sent again/);
  const sent = after(known, { type: 'origin_lost' });
  assert.deepEqual([sent.state, sent.origin], ['waiting', null]);
});

test('an image that is not what its name says is told', () => {
  assert.deepEqual([otherFormat('a.png', 'jpeg'), otherFormat('a.JPG', 'jpeg'), otherFormat('a.tif', 'tiff'), otherFormat('photo', 'png'), otherFormat('a.png', null)], ['jpeg', null, null, null, null]);
});

test('an event stream is read line by line', () => {
  assert.deepEqual(readEvent('id: 4\nevent: job\ndata: {"id": "j",\ndata: "seq": 4}'), { id: 'j', seq: 4 });
  assert.equal(readEvent(': still here'), null);
});

test('a job event that is older than the one seen changes nothing but the time it was heard', () => {
  const now = after(item(), { type: 'upload_started' }, { type: 'body_sent' }, seen({ state: 'running', stage: 'encode', progress: 50, seq: 8 }));
  const late = after(now, { ...seen({ state: 'queued', seq: 3 }), at_ms: 7 });
  assert.deepEqual({ ...late, heard_at_ms: 0 }, { ...now, heard_at_ms: 0 });
});

test('the place in the queue follows the queue, though the job itself has not changed', () => {
  const queued = after(item(), { type: 'upload_started' }, { type: 'body_sent' }, seen({ queue_position: 5 }));
  assert.equal(after(queued, seen({ queue_position: 2 })).position, 2);
});

test('nothing wakes a file that has ended', () => {
  const cancelled = after(item(), { type: 'cancelled' });
  assert.equal(cancelled.state, 'cancelled');
  for (const fact of [seen({ state: 'running', stage: 'encode', seq: 90 }), { type: 'bytes_sent', sent_bytes: 9 }, { type: 'resumed' }]) {
    assert.equal(after(cancelled, fact), cancelled);
  }
});

test('a cancel is over when the server says so, and a job that won the race is done', () => {
  const encoding = after(item(), { type: 'upload_started' }, { type: 'body_sent' }, seen({ state: 'running', stage: 'encode', seq: 2 }), { type: 'cancel_asked' });
  assert.equal(encoding.state, 'cancelling');
  assert.equal(after(encoding, seen({ state: 'running', stage: 'encode', progress: 60, seq: 3 })).state, 'cancelling');
  assert.equal(after(encoding, seen({ state: 'cancelled', seq: 4 })).state, 'cancelled');
  assert.equal(after(encoding, seen({ state: 'succeeded', seq: 4 })).state, 'confirming');
});

test('a file that is converted again starts from nothing, with a new key', () => {
  const done = after(item({ key: 'one' }), { type: 'upload_started' }, { type: 'body_sent' }, seen({ state: 'succeeded', seq: 2 }), { type: 'result_answered' });
  const again = after(done, { type: 'restarted', key: 'two', options: { quality: '50' }, origin: 'j' });
  assert.deepEqual([again.state, again.percent, again.key, again.origin, again.job, again.seq], ['waiting', 0, 'two', 'j', null, -1]);
});

test('every move leads to a state of the table, and every state can end', () => {
  for (const [state, moves] of Object.entries(TRANSITIONS)) {
    for (const next of Object.values(moves)) assert.ok(next in TRANSITIONS, `${state} → ${next}`);
    const name = /** @type {import('../../frontend/js/core/types.js').State} */ (state);
    assert.ok(isFinal(name) || canCancel(name) || state === 'confirming' || state === 'cancelling', state);
  }
});

test('time left is silent for two seconds, then steady', () => {
  let meter = startEta(0);
  for (let at = 100; at <= 4000; at += 100) {
    meter = updateEta(meter, at * 10, 100_000, at);
    if (at < 2000) assert.equal(secondsLeft(meter), null, `at ${at} ms`);
  }
  assert.ok(Math.abs(/** @type {number} */ (secondsLeft(meter)) - 6) < 0.2);
});

test('time left is silent while the speed has just collapsed', () => {
  let meter = startEta(0);
  for (let at = 100; at <= 3000; at += 100) meter = updateEta(meter, at * 10, 1_000_000, at);
  meter = updateEta(meter, meter.count + 1, 1_000_000, 8000);
  assert.equal(secondsLeft(meter), null);
});

test('totals weigh files by their bytes and count what ended', () => {
  const done = item({ id: 'b', state: 'done', bytes: 3000, percent: 100, result: { url: '', bytes: 600, width: 1, height: 1 } });
  const totals = totalsOf([done, item({ id: 'c', state: 'encoding', percent: 50 }), item({ id: 'd', state: 'invalid' })]);
  assert.deepEqual([totals.total, totals.done, totals.running, totals.percent, totals.saved_percent], [2, 1, 1, 87, 80]);
});

test('totals reach 100 only when every file has ended', () => {
  assert.equal(totalsOf([item({ state: 'confirming', percent: 99 })]).percent, 99);
  assert.equal(totalsOf([item({ state: 'failed' })]).percent, 100);
  assert.equal(totalsOf([]).percent, 0);
});

test('a saving is never rounded to all', () => {
  assert.equal(savedPercent(1_000_000, 10), 99);
  assert.equal(savedPercent(100, 130), -30);
  assert.equal(savedPercent(0, 10), 0);
});

test('three uploads at once, in the order of the list', () => {
  const waiting = ['1', '2', '3', '4', '5'].map((id) => item({ id }));
  assert.deepEqual(nextUploads(waiting).map(({ id }) => id), ['1', '2', '3']);
  const busy = [item({ id: '0', state: 'verifying' }), item({ id: '9', state: 'uploading' }), ...waiting];
  assert.deepEqual(nextUploads(busy).map(({ id }) => id), ['1']);
  assert.ok(busy.slice(0, 2).every(({ state }) => isSending(state)));
});

test('another try waits longer each time, and at least as long as the server asked', () => {
  assert.deepEqual([0, 1, 2, 3, 9].map((attempt) => delayBefore(attempt, null, 0.999)).map((ms) => Math.round(ms / 100) / 10), [0.5, 1, 2, 4, 16]);
  assert.ok(delayBefore(0, 12, 0) >= 12_000);
  assert.ok(delayBefore(9, 1, 0.999) <= 4000, 'nor much longer than that');
});

test('only what may pass by itself is tried again', () => {
  for (const status of [0, 429, 502, 503, 504]) assert.ok(mayRetry(status, 0), String(status));
  for (const status of [400, 401, 404, 409, 413, 415, 422, 500, 507]) assert.ok(!mayRetry(status, 0), String(status));
  assert.ok(!mayRetry(503, 999));
});

test('Retry-After is seconds or a date', () => {
  assert.equal(readRetryAfter('7', 0), 7);
  assert.equal(readRetryAfter('Sat, 21 Nov 2026 00:00:10 GMT', Date.parse('2026-11-21T00:00:00Z')), 10);
  assert.equal(readRetryAfter('soon', 0), null);
  assert.equal(readRetryAfter(null, 0), null);
});

test('empty, too large and hopeless files are refused before a byte is sent', () => {
  const refused = (/** @type {Partial<File>} */ file) => problemOfFile({ name: 'a.jpg', size: 5, type: 'image/jpeg', ...file }, capabilities)?.code;
  assert.equal(refused({}), undefined);
  assert.equal(refused({ size: 0 }), 'empty_file');
  assert.equal(refused({ size: 67_108_864 }), undefined);
  assert.equal(refused({ size: 67_108_865 }), 'too_large');
  assert.equal(refused({ name: 'a.pdf', type: 'application/pdf' }), 'unsupported_format');
  assert.equal(refused({ name: 'a', type: '' }), undefined, 'an unknown type is the server’s to judge');
  assert.ok(isSystemFile('.DS_Store') && isSystemFile('Thumbs.db') && !isSystemFile('cat.png'));
});

test('settings become options, and only such as the server offers', () => {
  assert.deepEqual(queryOf(DEFAULTS, capabilities), { method: '4', quality: '80' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'lossless', width: '800' }, capabilities), { method: '4', lossless: 'true', width: '800' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'text', quality: 60 }, capabilities), { method: '4', lossless: 'true' });
  const rich = { ...capabilities, options: { ...capabilities.options, near_lossless: {}, target_bytes: {}, sharp_yuv: {}, metadata: {} } };
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'text', quality: 60 }, rich), { method: '4', near_lossless: '60' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'drawing', target_kilobytes: '200', metadata: 'all' }, rich),
    { method: '4', quality: '80', sharp_yuv: 'true', target_bytes: '200000', metadata: 'all' });
});

test('lossless never meets a target size, which the server would refuse', () => {
  const rich = { ...capabilities, options: { ...capabilities.options, near_lossless: {}, target_bytes: {} } };
  for (const preset of /** @type {const} */ (['text', 'lossless'])) {
    assert.ok(!('target_bytes' in queryOf({ ...DEFAULTS, preset, target_kilobytes: '9' }, rich)), preset);
  }
});

test('remembered settings that make no sense become the defaults', () => {
  for (const stored of [null, 'x', 7, [], { preset: 'constructor', quality: 'x', method: null, width: -4, metadata: '<b>' }]) {
    assert.deepEqual(readSettings(stored), DEFAULTS);
  }
  assert.deepEqual(readSettings({ preset: 'photo', quality: '400', method: '9', width: '99999' }), { ...DEFAULTS, quality: 100, method: 6, width: '16383' });
});

test('figures are written as people read them, in both languages', () => {
  assert.deepEqual([0, 999, 1000, 609_700, 999_600, 4_213_004, 1_500_000_000].map((bytes) => english.bytes(bytes)),
    ['0 B', '999 B', '1 KB', '610 KB', '1.0 MB', '4.2 MB', '1.5 GB']);
  assert.equal(english.bytesOf(2_600_000, 4_200_000), '2.6 of 4.2 MB');
  assert.equal(chinese.bytesOf(2_600_000, 4_200_000), '2.6 / 4.2 MB');
  assert.equal(english.limit(67_108_864), '67 MB');
  assert.deepEqual([3, 21, 170, 8000].map((seconds) => english.left(seconds)), ['a few seconds', 'about 20 s', 'about 3 min', 'about 2 h']);
  assert.deepEqual([3, 21, 170].map((seconds) => chinese.left(seconds)), ['几秒', '约 20 秒', '约 3 分钟']);
  assert.equal(english.saving(85), '−85%');
  assert.equal(english.saving(-12), '+12%');
  assert.equal(english.t('period.hours', { n: 1 }), '1 hour');
  assert.equal(english.period(86_400), '24 hours');
  assert.equal(chinese.period(604_800), '7 天');
});

test('the language is the one chosen, else the first of the browser’s that is spoken here', () => {
  assert.equal(pickLanguage('zh-CN', ['en']), 'zh-CN');
  assert.equal(pickLanguage(null, ['de', 'zh-TW', 'en']), 'zh-CN');
  assert.equal(pickLanguage(null, ['fr-FR', 'en-US']), 'en');
  assert.equal(pickLanguage('xx', []), 'en');
});

test('every state has its line of text, in both languages, without a hole', () => {
  const long = item({
    sent_bytes: 500, source: { width: 60, height: 40 }, result: { url: '', bytes: 10, width: 60, height: 40 }, duration_s: 1.84, position: 3, progress: 42,
    problem: { code: 'too_large' },
  });
  for (const words of [english, chinese]) {
    for (const state of Object.keys(TRANSITIONS)) {
      const text = stageText({ ...long, state: /** @type {Item['state']} */ (state) }, capabilities, words, 0);
      assert.ok(text && !/[{}|]|undefined|NaN|null|^(state|error)\./.test(text), `${words.language} ${state}: ${text}`);
    }
  }
  assert.equal(stageText({ ...long, state: 'encoding', eta_s: 22 }, capabilities, english, 0), 'Encoding 42%, about 20 s left');
  assert.equal(stageText({ ...long, state: 'queued' }, capabilities, chinese, 0), '排队中，前面 3 张');
  assert.equal(stageText({ ...long, state: 'uploading' }, capabilities, english, 0), 'Uploading 50%, 1 of 1 KB');
});

test('what was quick is told in tenths of a second, what took longer than a minute in whole ones', () => {
  const done = (/** @type {number} */ duration_s, words = english) =>
    stageText(item({ state: 'done', duration_s, result: { url: '', bytes: 10, width: 60, height: 40 } }), capabilities, words, 0);
  assert.equal(done(0.42), '60 × 40, done in 0.4 s');
  assert.equal(done(0.42, chinese), '60 × 40，用时 0.4 秒');
  assert.equal(done(0.02), '60 × 40', 'it was there already');
  assert.equal(done(59.97), '60 × 40, done in 1 min 0 s');
  assert.equal(done(119.7, chinese), '60 × 40，用时 2 分 0 秒');
});

test('a failure is told in the page’s language; the server’s sentence where it knows more', () => {
  const tell = (/** @type {any} */ problem, words = english) => sentenceOf(problem, item({ bytes: 73_000_000 }), capabilities, words);
  assert.match(tell({ code: 'too_large', detail: 'x', language: 'en' }), /73\.0 MB; the limit is 67 MB/);
  assert.equal(tell({ code: 'unsupported_format', detail: 'The file is PDF.', language: 'en' }), 'The file is PDF.');
  assert.match(tell({ code: 'unsupported_format', detail: 'The file is PDF.', language: 'en' }, chinese), /JPEG、WebP/);
  assert.match(tell({ code: 'brand_new' }), /brand_new/);
});

test('an answer that is no problem document is understood by its status', () => {
  assert.deepEqual([0, 413, 401, 429, 502, 500, 418].map((status) => problemOfStatus(status).code),
    ['network_lost', 'proxy_limit', 'unauthorized', 'rate_limited', 'backend_unavailable', 'internal', 'internal']);
});

test('a long name is shortened in its middle and keeps its end', () => {
  assert.deepEqual(splitName('holiday-in-the-mountains.jpeg'), ['holiday-in-the-moun', 'tains.jpeg']);
  assert.deepEqual(splitName('a.b'), ['a.', 'b']);
  assert.equal(splitName('我的图片😀😀.png').join(''), '我的图片😀😀.png');
  assert.equal(resultName('我的.图片.png'), '我的.图片.webp');
  assert.equal(resultName('.png'), 'image.webp');
});

test('a batch is announced at its start, at its quarters and at its end', () => {
  const texts = [];
  let said = NOTHING_ANNOUNCED;
  for (const [running, percent] of [[4, 0], [4, 10], [3, 26], [2, 30], [2, 55], [1, 80], [0, 100], [0, 100]]) {
    const news = nextAnnouncement(said, { total: 4, ended: 4 - running, done: 4 - running, failed: 0, cancelled: 0, running, pausable: 0, paused: 0, percent, weight: 0, weight_done: 0, before_bytes: 10, after_bytes: 2, saved_percent: 80 }, english);
    said = news.said;
    if (news.text) texts.push(news.text);
  }
  assert.deepEqual(texts, ['Converting.', '25% done.', '50% done.', '75% done.', '4 images converted, 80% smaller.']);
});

test('failures are told one by one, or as a number when there are many', () => {
  const some = Array.from({ length: 4 }, (_, index) => ({ name: `${index}.png`, why: 'Broken.' }));
  assert.equal(failureText([], english), '');
  assert.equal(failureText(some.slice(0, 2), english), '0.png: Broken. 1.png: Broken.');
  assert.equal(failureText(some, chinese), '4 张图片失败，原因见列表。');
  assert.equal(delayBeforeSpeaking(1000, 2500), 1500);
});

test('zoom keeps the point under the pointer and the picture in sight', () => {
  const image = { width: 4000, height: 2000 };
  const stage = { width: 1000, height: 800 };
  assert.equal(fitScale(image, stage), 0.25);
  assert.equal(fitScale({ width: 10, height: 10 }, stage), 1, 'a small picture is not blown up');
  const point = { x: 100, y: 50 };
  const view = zoomTo(fitView(image, stage), 1, point, image, stage);
  assert.deepEqual([(point.x - view.x) / view.scale, (point.y - view.y) / view.scale], [point.x / 0.25, point.y / 0.25]);
  assert.equal(panBy(view, 1e6, 0, image, stage).x, 1500);
  assert.ok(canPan(view, image, stage) && !canPan(fitView(image, stage), image, stage));
});

test('files of the same name do not overwrite each other in the ZIP', () => {
  assert.deepEqual(uniqueNames(['a.webp', 'A.webp', 'a.webp', 'b.webp']), ['a.webp', 'A (2).webp', 'a (3).webp', 'b.webp']);
});
