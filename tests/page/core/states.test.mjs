// @ts-check
/** The table of states. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSITIONS, canCancel, isFinal } from '../../../frontend/js/core/states.js';

test('every move leads to a state of the table, and every state can end', () => {
  for (const [state, moves] of Object.entries(TRANSITIONS)) {
    for (const next of Object.values(moves)) assert.ok(next in TRANSITIONS, `${state} → ${next}`);
    const name = /** @type {import('../../../frontend/js/core/types.js').State} */ (state);
    assert.ok(isFinal(name) || canCancel(name) || state === 'confirming' || state === 'cancelling', state);
  }
});
