/** The identity of registries: registries with the same scope share families, in any order of their creation. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  createSummary,
  type FamilyDescriptor,
  generateMetrics,
  loadBackend,
  REGISTRY,
  type RegistryOptions,
  SingleProcessBackend,
} from 'metheus';
import type { CellRequest, Cells, SnapshotRequest } from 'metheus/backends';

/** A backend that records the scope and name of each family that it is called with. */
class Recording extends SingleProcessBackend {
  readonly calls: string[] = [];
  readonly scopes = new Set<string>();

  override reserve(request: CellRequest): Cells {
    this.#record('reserve', request.family);
    return super.reserve(request);
  }

  override release(family: FamilyDescriptor, cells: Cells): void {
    this.#record('release', family);
    super.release(family, cells);
  }

  override snapshot(request: SnapshotRequest) {
    for (const family of request.families) this.#record('snapshot', family);
    for (const scope of request.scopes) this.scopes.add(scope);
    return super.snapshot(request);
  }

  #record(call: string, { scope, name }: FamilyDescriptor): void {
    this.calls.push(`${call} ${scope}/${name}`);
  }
}

describe('the scope of a registry', () => {
  const scopeOf = (options: RegistryOptions) => new CollectorRegistry(options).scope;

  it('is the option or, without it, the prefix', () => {
    assert.equal(scopeOf({ scope: 'shop' }), 'shop');
    assert.equal(scopeOf({ scope: 'shop', prefix: 'billing' }), 'shop');
    assert.equal(scopeOf({ prefix: 'billing' }), 'billing');
    assert.equal(scopeOf({ prefix: 'billing_' }), 'billing', 'the same prefix');
    assert.equal(scopeOf({ prefix: '_' }), '_');
    assert.equal(REGISTRY.scope, '');
  });

  it('is private and unique without option and prefix', () => {
    const scopes = [{}, {}, { prefix: '' }].map(scopeOf);
    assert.equal(new Set(scopes).size, 3);
  });

  for (const scope of [5, null, 'private:1'] as string[]) {
    it(`cannot be ${JSON.stringify(scope)}`, () => {
      assert.throws(() => new CollectorRegistry({ scope }), { code: 'METHEUS_INVALID_OPTIONS' });
    });
  }
});

describe('a private registry', () => {
  let backend: Recording;
  before(async () => {
    backend = (await loadBackend(Recording)) as Recording;
  });
  after(() => loadBackend(SingleProcessBackend));

  it('never passes a family to the backend, in any operation of its metrics', async () => {
    const registry = new CollectorRegistry();
    for (const home of [registry, null]) {
      createCounter('c_total', 'C.', { registry: home, requiredLabels: ['a'] })
        .labels({ a: 1 })
        .inc();
      createHistogram('h', 'H.', { registry: home, native: true }).observe(1);
      createSummary('s', 'S.', { registry: home, quantiles: [0.5] }).observe(1);
      const gauge = createGauge('g', 'G.', { registry: home, requiredLabels: ['a'] });
      gauge.labels({ a: 1 }).set(1);
      gauge.clear();
      gauge.labels({ a: 2 }).set(2);
    }
    const text = await generateMetrics(registry);
    assert.match(text, /^c_total\{a="1"\} 1$/m);
    assert.match(text, /^h_count 1$/m);
    assert.match(text, /^s\{quantile="0.5"\} \d/m);
    assert.match(text, /^g\{a="2"\} 2$/m);
    await loadBackend(Recording);
    backend = (await loadBackend(Recording)) as Recording;
    assert.equal(await generateMetrics(registry), text);
    assert.deepEqual([backend.calls, [...backend.scopes]], [[], []]);
  });

  it('is collected together with its metrics of a shared registry, in the order of registration', async () => {
    const [own, shared] = [new CollectorRegistry(), new CollectorRegistry({ scope: 'mixed' })];
    const first = createCounter('first_total', 'F.', { registry: own });
    const second = createCounter('second_total', 'S.', { registry: shared });
    const third = createCounter('third_total', 'T.', { registry: null });
    own.register(second);
    own.register(third);
    for (const [i, counter] of [first, second, third].entries()) counter.inc(i + 1);
    const names = (await own.collect()).map(({ family, values }) => [family.name, ...values]);
    assert.deepEqual(names, [
      ['first_total', 1],
      ['second_total', 2],
      ['third_total', 3],
    ]);
  });
});

describe('a metric without a shared registry', () => {
  const kinds = {
    counter: (registry: null) => {
      const metric = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] });
      metric.labels({ a: 1 }).inc(3, { trace: 'x' });
      return [metric, () => metric.labels({ a: 1 }).inc()] as const;
    },
    gauge: (registry: null) => {
      const metric = createGauge('g', 'G.', { registry });
      metric.set(3);
      return [metric, () => metric.inc()] as const;
    },
    histogram: (registry: null) => {
      const metric = createHistogram('h', 'H.', { registry, native: true, buckets: [1] });
      metric.observe(3);
      return [metric, () => metric.observe(3)] as const;
    },
  };
  for (const [kind, make] of Object.entries(kinds)) {
    it(`has its numbers and the scope of a registry while it is registered there (${kind})`, async () => {
      const backend = (await loadBackend(Recording)) as Recording;
      const [metric, count] = make(null);
      const registry = new CollectorRegistry({ scope: kind });
      const other = new CollectorRegistry({ scope: 'other' });
      registry.register(metric);
      const collected = async () =>
        (await registry.collect()).map(({ family, values, exemplars, native }) => [
          family.scope,
          [...values].map((value) => (value > 1e9 ? 'time' : value)),
          exemplars?.get(0)?.labels,
          native?.[0]?.count,
        ]);
      const before = await collected();
      assert.equal(before[0]![0], kind);
      count();
      other.register(metric);
      registry.unregister(metric);
      assert.equal((await other.collect())[0]!.family.scope, kind, 'the first scope stays');
      const released = backend.calls.length;
      other.unregister(metric);
      assert.ok(backend.calls.slice(released).every((call) => call.startsWith(`release ${kind}/`)));
      const callsOf = (method: string) =>
        backend.calls.filter((call) => call.startsWith(`${method} ${kind}/`));
      const reserved = callsOf('reserve').length;
      assert.equal(callsOf('release').length, reserved);
      count();
      assert.equal(callsOf('reserve').length, reserved);
      registry.register(metric);
      const [, , exemplar] = before[0]!;
      const value = { counter: [5], gauge: [5, 'time'], histogram: [0, 3, 9] }[kind];
      assert.deepEqual(await collected(), [[kind, value, exemplar, kind === 'histogram' ? 3 : undefined]]);
    });
  }
});

describe('registries of several processes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'metheus-scope-'));
  after(() => rmSync(directory, { recursive: true }));

  /** A program that creates registries in the given order, counts in each, and prints the exposition of each. */
  const PROGRAM = `
import { CollectorRegistry, createCounter, generateMetrics, loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';
const backend = await loadBackend(MultiProcessFileBackend, { directory: process.argv[1] });
const order = JSON.parse(process.argv[2]);
const registries = order.map(({ count, ...options }) => new CollectorRegistry(options));
for (const [i, registry] of registries.entries()) {
  createCounter('requests_total', 'R.', { registry }).inc(order[i].count);
}
const samples = [];
for (const registry of registries) samples.push((await generateMetrics(registry)).trim().split('\\n').at(-1));
console.log(JSON.stringify(samples));
await backend.close();
`;
  const run = (order: object[]): string[] =>
    JSON.parse(
      execFileSync(
        process.execPath,
        ['--input-type=module', '-e', PROGRAM, directory, JSON.stringify(order)],
        { encoding: 'utf8' },
      ),
    );

  it('are matched by scope or prefix, and never by the order of their creation', () => {
    const [auth, billing] = [{ prefix: 'auth' }, { prefix: 'billing' }];
    run([{ count: 900 }, { ...auth, count: 1 }, { ...billing, count: 20 }, { scope: 'jobs', count: 300 }]);
    const second = run([
      { scope: 'jobs', prefix: 'cron', count: 400 },
      { ...billing, count: 50 },
      { count: 7 },
      { ...auth, count: 6 },
    ]);
    assert.deepEqual(second, [
      'cron_requests_total 700',
      'billing_requests_total 70',
      'requests_total 7',
      'auth_requests_total 7',
    ]);
  });
});
