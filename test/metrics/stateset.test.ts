/** Statesets: a series for each state, in a label with the name of the family. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createStateSet, StateSet, seriesOf } from 'metheus';

const states = ['starting', 'running', 'stopped'] as const;

/** Labels and values, in the order of the rows. */
async function exposed(registry: CollectorRegistry) {
  const [snapshot] = await registry.collect();
  return [...seriesOf(snapshot!)].map(({ labels, values }) => [labels, values[0]]);
}

describe('a stateset', () => {
  it('has exactly one true state after set', async () => {
    const registry = new CollectorRegistry();
    const state = createStateSet('app_state', 'State.', { states, registry });
    assert.deepEqual(await exposed(registry), []);
    assert.deepEqual(state.get(), { starting: false, running: false, stopped: false });
    for (const now of states) {
      state.set(now);
      assert.deepEqual(
        await exposed(registry),
        states.map((name) => [{ app_state: name }, name === now ? 1 : 0]),
      );
      assert.deepEqual(state.get(), Object.fromEntries(states.map((name) => [name, name === now])));
    }
    const [snapshot] = await registry.collect();
    assert.equal(snapshot!.family.type, 'stateset');
    assert.equal(snapshot!.family.merge, 'livemostrecent');
    assert.deepEqual(snapshot!.family.labelNames, ['app_state']);
  });

  it('has several true states after enable', async () => {
    const registry = new CollectorRegistry();
    const features = createStateSet('features', 'Features.', { states: ['a', 'b', 'c'], registry });
    features.enable('b');
    features.enable('c');
    features.disable('b');
    assert.deepEqual(features.get(), { a: false, b: false, c: true });
    assert.deepEqual(
      (await exposed(registry)).map(([, value]) => value),
      [0, 0, 1],
    );
  });

  it('has other labels before that of the state', async () => {
    const registry = new CollectorRegistry();
    const state = createStateSet('door', 'Door.', {
      states: ['open', 'shut'],
      requiredLabels: ['floor', 'side'],
      defaultLabels: { side: 'front' },
      registry,
    });
    state.labels({ floor: 1 }).set('open');
    assert.deepEqual(await exposed(registry), [
      [{ floor: '1', side: 'front', door: 'open' }, 1],
      [{ floor: '1', side: 'front', door: 'shut' }, 0],
    ]);
    assert.deepEqual(state.labels({ side: 'front', floor: 1 }).get(), { open: true, shut: false });
    assert.equal(state.remove({ floor: 1 }), 2);
    assert.deepEqual(await exposed(registry), []);
  });

  it('names the labels that are missing', () => {
    const state = createStateSet('door', 'Door.', { states, requiredLabels: ['floor'], registry: null });
    const untyped = state as unknown as StateSet;
    for (const use of [() => untyped.set('running'), () => untyped.enable('running'), () => untyped.get()]) {
      assert.throws(use, { code: 'METHEUS_MISSING_LABELS', missing: ['floor'] });
    }
  });

  it('refuses an unknown state and changes nothing', () => {
    const state = createStateSet('app_state', 'State.', { states, registry: null });
    state.set('running');
    for (const use of [state.set, state.enable, state.disable]) {
      assert.throws(() => use.call(state, 'paused' as 'running'), {
        code: 'METHEUS_UNKNOWN_STATE',
        message:
          "Unknown state: given 'paused' to stateset 'app_state', expected one of 'starting', 'running', 'stopped'.",
      });
    }
    assert.throws(() => state.set(undefined as never), { code: 'METHEUS_UNKNOWN_STATE' });
    assert.deepEqual(state.get(), { starting: false, running: true, stopped: false });
  });

  it('refuses invalid states, units and limits', () => {
    const create = (options: object) => () =>
      createStateSet('app_state', 'State.', { registry: null, states, ...options });
    const invalid = { code: 'METHEUS_INVALID_OPTIONS' };
    for (const wrong of [undefined, [], ['a', 'a'], ['a', 1], 'ab']) {
      assert.throws(create({ states: wrong }), invalid);
    }
    assert.throws(create({ unit: 'state' }), invalid);
    assert.throws(create({ maxSeries: 10 }), invalid);
    assert.throws(create({ requiredLabels: ['app_state'] }), { code: 'METHEUS_DUPLICATE_LABEL_NAME' });
    assert.throws(() => createStateSet('a:b', 'State.', { states, registry: null }), {
      code: 'METHEUS_INVALID_LABEL_NAME',
    });
  });

  it('conflicts with a stateset of other states', () => {
    const registry = new CollectorRegistry();
    const state = createStateSet('app_state', 'State.', { states, registry });
    assert.equal(createStateSet('app_state', 'State.', { states: [...states], registry }), state);
    assert.throws(() => createStateSet('app_state', 'State.', { states: ['on', 'off'], registry }), {
      code: 'METHEUS_CONFLICTING_METRIC',
    });
    assert.ok(state instanceof StateSet);
    assert.equal(new StateSet('app_state', 'State.', { states, registry }), state);
  });

  it('names the label as it is exposed in a registry with a prefix', async () => {
    const registry = new CollectorRegistry({ prefix: 'my' });
    const state = createStateSet('door', 'Door.', { states: ['open'], requiredLabels: ['a'], registry });
    for (const a of ['x', 'y"\\']) state.labels({ a }).set('open');
    state.remove({ a: 'x' });
    assert.deepEqual(await exposed(registry), [[{ a: 'y"\\', my_door: 'open' }, 1]]);
    const [snapshot] = await registry.collect();
    assert.equal(snapshot!.family.name, 'my_door');
    assert.deepEqual(snapshot!.family.labelNames, ['a', 'my_door']);
  });
});
