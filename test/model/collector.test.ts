/** Scopes: equal for equal programs, and unique in a thread. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_SCOPE, nextScope } from '#metheus/model/collector.js';

it('nextScope counts each kind separately, from 1', () => {
  assert.deepEqual(
    [nextScope('registry'), nextScope('unregistered'), nextScope('registry'), nextScope('progress')],
    ['registry-1', 'unregistered-1', 'registry-2', 'progress-1'],
  );
  assert.equal(DEFAULT_SCOPE, '');
});
