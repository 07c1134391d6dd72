// @ts-check
/** The life of one image: facts in, state and percent out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { totalsOf } from '../../../frontend/js/core/batch.js';
import { statusText } from '../../../frontend/js/core/status-text.js';
import { nextUploads } from '../../../frontend/js/core/upload-slots.js';
import { accepted, after, capabilities, confirmed, english, item, seen } from '../support/fixtures.mjs';

test('a file goes from the choice to the result', () => {
  const states = [];
  let now = item();
  for (const fact of [
    { type: 'upload_started' }, { type: 'bytes_sent', sent_bytes: 400 }, { type: 'body_sent' }, accepted(), seen({ queue_position: 3 }),
    seen({ state: 'running', stage: 'decode', progress: 5, seq: 2 }), seen({ state: 'running', stage: 'transform', progress: 12, seq: 3 }),
    seen({ state: 'running', stage: 'encode', progress: 60, seq: 4 }), seen({ state: 'running', stage: 'store', progress: 99, seq: 5 }),
    seen({ state: 'succeeded', progress: 100, seq: 6 }), confirmed(),
  ]) {
    now = after(now, fact);
    states.push(now.state);
  }
  assert.deepEqual(states, ['uploading', 'uploading', 'verifying', 'verifying', 'queued', 'decoding', 'transforming', 'encoding', 'saving', 'confirming', 'done']);
  assert.equal(now.percent, 100);
});

test('percent is below 100 until the result answers, whatever the job says', () => {
  const confirming = after(item(), { type: 'upload_started' }, { type: 'body_sent' }, accepted(), seen({ state: 'succeeded', progress: 100, seq: 9 }));
  assert.equal(confirming.state, 'confirming');
  assert.ok(confirming.percent < 100 && confirming.progress < 100);
  assert.equal(after(confirming, confirmed()).percent, 100);
});

test('percent and progress never fall, though events come late, twice or in disorder', () => {
  let now = after(item(), { type: 'upload_started' });
  let last = now;
  const facts = [
    { type: 'bytes_sent', sent_bytes: 700 }, { type: 'bytes_sent', sent_bytes: 300 }, { type: 'body_sent' }, accepted(), seen({ seq: 2 }),
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
  const again = after(half, { type: 'upload_broke', problem: { code: 'network_lost' }, retry_at_ms: 500 }, { type: 'resumed' }, { type: 'upload_started' });
  assert.equal(again.sent_bytes, 0);
  assert.equal(again.percent, half.percent);
  assert.equal(again.attempt, 1);
  assert.equal(again.key, half.key);
});

test('a resumable upload keeps what the gateway acknowledged, and what it shows waits until the rest is made good', () => {
  const facts = [
    { type: 'upload_started' }, { type: 'upload_opened', upload: '/api/uploads/u' }, { type: 'bytes_kept', kept_bytes: 0 }, { type: 'bytes_sent', sent_bytes: 600 },
    { type: 'bytes_kept', kept_bytes: 400 }, { type: 'bytes_sent', sent_bytes: 700 }, { type: 'upload_broke', problem: { code: 'network_lost' }, retry_at_ms: 5 },
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
  const known = after(item(), { type: 'upload_started' }, { type: 'origin_found', origin: 'j' }, { type: 'body_sent' });
  assert.match(statusText({ ...known, has_file: true }, capabilities, english, 0), /not sent again/);
  const sent = after(known, { type: 'origin_lost' });
  assert.deepEqual([sent.state, sent.origin], ['waiting', null]);
});

test('a job event that is older than the one seen changes nothing', () => {
  const now = after(item(), { type: 'upload_started' }, { type: 'body_sent' }, accepted(), seen({ state: 'running', stage: 'encode', progress: 50, seq: 8 }));
  assert.equal(after(now, { ...seen({ state: 'queued', seq: 3 }), at_ms: 7 }), now);
});

test('the place in the queue follows the queue, though the job itself has not changed', () => {
  const queued = after(item(), { type: 'upload_started' }, { type: 'body_sent' }, accepted(), seen({ queue_position: 5 }));
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
  const encoding = after(item(), { type: 'upload_started' }, { type: 'body_sent' }, accepted(), seen({ state: 'running', stage: 'encode', seq: 2 }), { type: 'cancel_requested' });
  assert.equal(encoding.state, 'cancelling');
  assert.equal(after(encoding, seen({ state: 'running', stage: 'encode', progress: 60, seq: 3 })).state, 'cancelling');
  assert.equal(after(encoding, seen({ state: 'cancelled', seq: 4 })).state, 'cancelled');
  assert.equal(after(encoding, seen({ state: 'succeeded', seq: 4 })).state, 'confirming');
});

test('a file that is converted again starts from nothing, with a new key', () => {
  const done = after(item({ key: 'one' }), { type: 'upload_started' }, { type: 'body_sent' }, accepted(), seen({ state: 'succeeded', seq: 2 }), confirmed());
  const again = after(done, { type: 'restarted', key: 'two', options: { quality: '50' }, origin: 'j' });
  assert.deepEqual([again.state, again.percent, again.key, again.origin, again.job, again.seq], ['waiting', 0, 'two', 'j', null, -1]);
});

test('converting again never shows the old file: what comes of the former job changes nothing', () => {
  const done = after(item(), { type: 'upload_started' }, { type: 'body_sent' }, accepted(), seen({ state: 'succeeded', seq: 2 }), confirmed());
  const waiting = after(done, { type: 'restarted', key: 'two', options: {}, origin: 'j' }, { type: 'upload_started' }, { type: 'body_sent' });
  const encoding = after(waiting, accepted('k'), seen({ id: 'k', state: 'running', stage: 'encode', progress: 18, seq: 4 }));
  const old = [seen({ state: 'succeeded', seq: 90 }), seen({ state: 'failed', seq: 91 }), confirmed(), { type: 'job_gone', job_id: 'j' }];
  for (const now of [waiting, encoding]) for (const fact of old) assert.equal(after(now, fact), now, `${now.state} ${fact.type}`);
  assert.equal(after(encoding, seen({ id: 'k', state: 'succeeded', seq: 5 }), confirmed('k')).state, 'done');
});
