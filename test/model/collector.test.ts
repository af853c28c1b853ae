/** Scopes: shared ones are given by users, private ones are unique in a thread. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_SCOPE, isPrivateScope, privateScope } from '#metheus/model/collector.js';

it('privateScope returns a new scope at each call, which isPrivateScope recognizes', () => {
  const scopes = [privateScope(), privateScope(), privateScope()];
  assert.equal(new Set(scopes).size, 3);
  assert.deepEqual(scopes.map(isPrivateScope), [true, true, true]);
  assert.deepEqual([DEFAULT_SCOPE, 'billing', 'private'].map(isPrivateScope), [false, false, false]);
  assert.equal(DEFAULT_SCOPE, '');
});
