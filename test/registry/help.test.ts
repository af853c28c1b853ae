/** Help texts: another one alone is no conflict, so that a module can be loaded again after an edit. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createHistogram,
  generateMetrics,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';

const helpLines = async (registry: CollectorRegistry, format: 'text' | 'openmetrics' = 'text') =>
  (await generateMetrics(registry, { format })).split('\n').filter((line) => line.startsWith('# HELP'));

describe('a metric that is created again with another help text', () => {
  const define = (registry: CollectorRegistry, help: string) => {
    const counter = createCounter('c_total', help, { registry, requiredLabels: ['a'] });
    const histogram = createHistogram('h', help, { registry, native: true });
    return { counter, histogram };
  };

  for (const name of ['memory', 'file']) {
    it(`keeps its numbers, and serves the newer text: ${name} backend`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'metheus-'));
      if (name === 'file') await loadBackend(MultiProcessFileBackend, { directory });
      t.after(async () => {
        await loadBackend(SingleProcessBackend);
        rmSync(directory, { recursive: true });
      });
      const registry = new CollectorRegistry({ prefix: name });
      const outer = new CollectorRegistry({ prefix: 'outer' });
      outer.register(registry);
      const first = define(registry, 'Old.');
      first.counter.labels({ a: 1 }).inc(3);
      assert.deepEqual(await helpLines(registry), [`# HELP ${name}_c_total Old.`, `# HELP ${name}_h Old.`]);
      for (const help of ['New.', 'Newer.', 'Old.', 'New.']) {
        const again = define(registry, help);
        assert.equal(again.counter, first.counter);
        assert.equal(again.histogram, first.histogram);
        assert.equal(first.counter.help, help);
        const expected = [`${name}_c_total ${help}`, `${name}_h ${help}`];
        assert.deepEqual(
          await helpLines(registry),
          expected.map((line) => `# HELP ${line}`),
        );
        assert.deepEqual(
          await helpLines(outer),
          expected.map((line) => `# HELP outer_${line}`),
        );
        assert.deepEqual(
          await helpLines(registry, 'openmetrics'),
          expected.map((line) => `# HELP ${line.replace('_total', '')}`),
        );
      }
      assert.equal(first.counter.labels({ a: 1 }).get(), 3);
      assert.match(await generateMetrics(registry), new RegExp(`${name}_c_total{a="1"} 3\n`));
    });
  }

  it('is served with the newer text by a collector that yields it', async () => {
    const registry = new CollectorRegistry();
    const inner = new CollectorRegistry();
    const { counter } = define(inner, 'Old.');
    registry.register({ collect: () => [counter] });
    define(inner, 'New.');
    assert.deepEqual(await helpLines(registry), ['# HELP c_total New.']);
  });
});
