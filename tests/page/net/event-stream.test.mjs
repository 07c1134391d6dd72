// @ts-check
/** Reading an event stream. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvent } from '../../../frontend/js/net/event-stream.js';

test('an event stream is read line by line', () => {
  assert.deepEqual(readEvent('id: 4\nevent: job\ndata: {"id": "j",\ndata: "seq": 4}'), { id: 'j', seq: 4 });
  assert.equal(readEvent(': still here'), null);
});
