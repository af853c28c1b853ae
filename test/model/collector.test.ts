/** Scopes: equal programs get equal ones, and nothing in a thread has the same twice. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_SCOPE, nextScope } from '#metheus/model/collector.js';

it('counts each kind by itself, from 1', () => {
  assert.deepEqual(
    [nextScope('registry'), nextScope('unregistered'), nextScope('registry'), nextScope('progress')],
    ['registry-1', 'unregistered-1', 'registry-2', 'progress-1'],
  );
  assert.equal(DEFAULT_SCOPE, '');
});
