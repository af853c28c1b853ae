/** The default registry, and its replacement. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CollectorRegistry, createFamily, createGauge, generateMetrics, REGISTRY } from 'metheus';
import { DEFAULT_REGISTRY } from '#metheus/model/collector.js';

const exposed = (name: string, value: number) =>
  `# HELP ${name} Help.\n# TYPE ${name} gauge\n${name} ${value}\n`;

it('REGISTRY has all metrics until setRegistry replaces it', async () => {
  assert.equal((globalThis as Record<symbol, unknown>)[DEFAULT_REGISTRY], REGISTRY);
  assert.equal(DEFAULT_REGISTRY, Symbol.for('metheus.default-registry.v4'));
  const first = REGISTRY.registry;
  const before = createGauge('before', 'Help.');
  before.set(1);
  assert.equal(await generateMetrics(), exposed('before', 1));
  assert.equal(await generateMetrics(REGISTRY), exposed('before', 1));
  assert.equal(REGISTRY.scope, '');
  assert.equal(REGISTRY.prefix, '');

  const other = new CollectorRegistry({ prefix: 'app' });
  REGISTRY.setRegistry(other);
  assert.equal(REGISTRY.registry, other);
  assert.equal(REGISTRY.prefix, 'app_');
  assert.equal(REGISTRY.scope, other.scope);
  const after = createGauge('after', 'Help.');
  after.set(2);
  const again = createGauge('before', 'Help.');
  again.set(3);
  assert.notEqual(again, before);
  assert.equal(await generateMetrics(), exposed('app_after', 2) + exposed('app_before', 3));
  assert.equal(await generateMetrics(other), exposed('app_after', 2) + exposed('app_before', 3));
  before.inc();
  assert.equal(await generateMetrics(first), exposed('before', 2), 'metrics stay where they were made');

  const collector = { collect: () => [createFamily('collected', 'Help.', { series: [{ value: 5 }] })] };
  REGISTRY.register(collector);
  assert.equal(REGISTRY.unregister(after), true);
  assert.equal(REGISTRY.unregister(before), false);
  assert.equal(await generateMetrics(other), exposed('app_before', 3) + exposed('app_collected', 5));
  assert.equal(REGISTRY.unregister(collector), true);

  REGISTRY.setRegistry(first);
  assert.equal(await generateMetrics(), exposed('before', 2));
  assert.equal(createGauge('before', 'Help.'), before);
});
