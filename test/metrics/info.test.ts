/** Infos: series whose labels are the information. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createInfo, Info, seriesOf } from 'metheus';

/** Returns labels and value of each series of the only family of a registry. */
async function exposed(registry: CollectorRegistry) {
  const [snapshot] = await registry.collect();
  return [...seriesOf(snapshot!)].map(({ labels, values }) => [labels, values[0]]);
}

describe('an info', () => {
  it('is one series with the value 1 after info()', async () => {
    const registry = new CollectorRegistry();
    const build = createInfo('app_build', 'Build.', { requiredLabels: ['version', 'commit'], registry });
    assert.deepEqual(await exposed(registry), []);
    assert.deepEqual(build.get(), []);
    build.info({ version: '1.4.2', commit: 'ab12' });
    assert.deepEqual(await exposed(registry), [[{ version: '1.4.2', commit: 'ab12' }, 1]]);
    assert.deepEqual(build.get(), [{ version: '1.4.2', commit: 'ab12' }]);
    const [{ family }] = (await registry.collect()) as [Awaited<ReturnType<typeof registry.collect>>[number]];
    assert.equal(family.type, 'info');
    assert.equal(family.merge, 'livemostrecent');
  });

  it('replaces the series that the same metric exposed before', async () => {
    const registry = new CollectorRegistry();
    const build = createInfo('app_build', 'Build.', { requiredLabels: ['version', 'commit'], registry });
    for (const commit of ['a', 'b', 'b', 'c']) build.info({ version: '1', commit });
    assert.deepEqual(await exposed(registry), [[{ version: '1', commit: 'c' }, 1]]);
  });

  it('keeps the series of other partial metrics', async () => {
    const registry = new CollectorRegistry();
    const info = createInfo('node', 'Node.', { requiredLabels: ['name', 'kernel'], registry });
    const [a, b] = [info.labels({ name: 'a' }), info.labels({ name: 'b' })];
    a.info({ kernel: '5' });
    b.info({ kernel: '5' });
    a.info({ kernel: '6' });
    assert.deepEqual(a.get(), [{ name: 'a', kernel: '6' }]);
    assert.deepEqual(b.get(), [{ name: 'b', kernel: '5' }]);
    info.info({ name: 'c', kernel: '7' });
    assert.deepEqual(await exposed(registry), [[{ name: 'c', kernel: '7' }, 1]]);
  });

  it('uses defaults for labels that are not given, on kept metrics too', async () => {
    const registry = new CollectorRegistry();
    const info = createInfo('node', 'Node.', {
      requiredLabels: ['name', 'kernel'],
      defaultLabels: { name: 'x', kernel: '1' },
      registry,
    });
    const partial = info.labels({ name: 'a' });
    for (const kernel of ['2', '3']) {
      partial.info({ kernel });
      assert.deepEqual(partial.get(), [{ name: 'a', kernel }]);
      partial.info();
      assert.deepEqual(partial.get(), [{ name: 'a', kernel: '1' }]);
    }
    info.info();
    info.info();
    assert.deepEqual(await exposed(registry), [[{ name: 'x', kernel: '1' }, 1]]);
  });

  it('works on a complete metric until that is removed', async () => {
    const registry = new CollectorRegistry();
    const info = createInfo('node', 'Node.', { requiredLabels: ['name'], registry });
    const a = info.labels({ name: 'a' });
    a.info();
    a.info();
    info.labels({ name: 'b' }).info();
    assert.deepEqual(info.get(), [{ name: 'a' }, { name: 'b' }]);
    assert.equal(a.remove(), 1);
    a.info();
    assert.deepEqual(a.get(), []);
    assert.deepEqual(info.get(), [{ name: 'b' }]);
    info.clear();
    assert.deepEqual(await exposed(registry), []);
  });

  it('works without labels', async () => {
    const registry = new CollectorRegistry();
    const flag = createInfo('flag', 'Flag.', { registry });
    assert.deepEqual(await exposed(registry), []);
    flag.info();
    flag.info({});
    assert.deepEqual(await exposed(registry), [[{}, 1]]);
    assert.deepEqual(flag.get(), [{}]);
  });

  it('keeps the series when a call is refused', () => {
    const info = createInfo('node', 'Node.', { requiredLabels: ['name', 'kernel'], registry: null });
    info.info({ name: 'a', kernel: '1' });
    assert.throws(() => (info as unknown as Info).info({ name: 'a' } as never), {
      code: 'METHEUS_MISSING_LABELS',
      missing: ['kernel'],
    });
    const wrong = { name: 'a', kernel: '1', other: '' } as { name: string; kernel: string };
    assert.throws(() => info.info(wrong), { code: 'METHEUS_UNKNOWN_LABEL' });
    assert.throws(() => info.info({ name: 'a', kernel: {} as never }), {
      code: 'METHEUS_INVALID_LABEL_VALUE',
    });
    assert.deepEqual(info.get(), [{ name: 'a', kernel: '1' }]);
  });

  it('has no unit', () => {
    assert.throws(() => createInfo('a_seconds', 'A.', { unit: 'seconds', registry: null } as object), {
      code: 'METHEUS_INVALID_OPTIONS',
      message:
        "Invalid options: given the unknown option 'unit' of info 'a_seconds', expected one of requiredLabels, " +
        'defaultLabels, registry, utf8Names, strict, maxSeries.',
    });
  });

  it('is the same as new Info', () => {
    const registry = new CollectorRegistry();
    const info = new Info('a', 'A.', { requiredLabels: ['x'], registry });
    assert.equal(info, createInfo('a', 'A.', { requiredLabels: ['x'], registry }));
    assert.ok(info instanceof Info);
  });
});
