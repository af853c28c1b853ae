/** Native histograms and quantiles of several writers with different resolutions: threads, processes and Redis. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type FamilySnapshot, REGISTRY } from 'metheus';
import { PowerIndex } from '#metheus/metrics/native/power-index.js';
import { METRIC_TYPES } from '#metheus/model/metric-types.js';
import { attachNative } from '#metheus/registry/native.js';
import { requireTool } from '../support/tools.js';
import { gone, startWorker } from '../support/workers.js';
import { makeDirectory, openBackend } from './file/support.js';
import { openBackend as openRedis, optionsFor, startRedis } from './redis/server.js';

const VALUES = 5000;
const QUANTILES = [0.01, 0.5, 0.99];
/** The options of each writer. */
const SCHEMAS = [5, 3];

/** Returns deterministic values: seven decades, both signs, and some zeros. */
function valuesOf(writer: number, count: number): number[] {
  let state = writer + 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, () => {
    const size = 10 ** (random() * 7 - 4);
    const sign = random();
    return sign < 0.05 ? 0 : sign < 0.3 ? -size : size;
  });
}

type Metheus = Pick<typeof import('metheus'), 'createHistogram' | 'createSummary'>;

/** The program of one writer, which cannot use anything around it. */
function observe({ createHistogram, createSummary }: Metheus, values: number[], schema: number): void {
  const options = { requiredLabels: ['route'] } as const;
  const native = { schema, maxBuckets: Number.POSITIVE_INFINITY };
  const histogram = createHistogram('native_seconds', 'N.', { ...options, native }).labels({ route: '/"\\' });
  const quantiles = [0.01, 0.5, 0.99];
  const summary = createSummary('recent_seconds', 'R.', { ...options, quantiles, maxAge: 3600 });
  const whole = createSummary('all_seconds', 'A.', { quantiles, maxAge: Number.POSITIVE_INFINITY });
  for (const value of values) {
    histogram.observe(value);
    summary.labels({ route: '/"\\' }).observe(value);
    whole.observe(value);
  }
}

/** Asserts that the families contain all values. */
function checkAll(families: readonly FamilySnapshot[], values: readonly number[]): void {
  assert.deepEqual(
    families.filter(({ family }) => METRIC_TYPES[family.type].isHidden),
    [],
  );
  const byName = (name: string) => families.find(({ family }) => family.name === name)!;
  const [native] = byName('native_seconds').native!;
  const index = PowerIndex.of(Math.min(...SCHEMAS));
  const expected = { positive: new Map<number, number>(), negative: new Map<number, number>() };
  for (const value of values.filter((one) => one !== 0)) {
    const buckets = value > 0 ? expected.positive : expected.negative;
    const bucket = index.indexOf(Math.abs(value));
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  for (const sign of ['positive', 'negative'] as const) {
    const buckets = native![sign];
    const shown = [...buckets.index].map((bucket, i) => [bucket, buckets.counts[i]]);
    assert.deepEqual(
      shown,
      [...expected[sign]].sort(([a], [b]) => a - b),
    );
  }
  const zeros = values.filter((value) => value === 0).length;
  assert.deepEqual(
    [native!.schema, native!.count, native!.zeroCount],
    [Math.min(...SCHEMAS), values.length, zeros],
  );
  const inOrder = values.toSorted((a, b) => a - b);
  for (const name of ['recent_seconds', 'all_seconds']) {
    const estimates = byName(name).quantiles!;
    for (const [i, quantile] of QUANTILES.entries()) {
      const right = inOrder[Math.ceil(quantile * values.length) - 1]!;
      assert.ok(
        Math.abs(estimates[i]! - right) <= 0.01 * Math.abs(right),
        `${name} ${quantile}: ${estimates[i]}`,
      );
    }
  }
}

const ALL = SCHEMAS.flatMap((_, writer) => valuesOf(writer, VALUES));

/** Starts a process that observes values with a backend, reports that, and keeps running. */
async function startProcess(t: TestContext, writer: number, load: string) {
  const code = `
    import * as metheus from 'metheus';
    ${load}
    (${observe})(metheus, (${valuesOf})(${writer}, ${VALUES}), ${SCHEMAS[writer]});
    await metheus.REGISTRY.collect();
    process.send('counted');
    setInterval(() => {}, 1000);
  `;
  const cwd = fileURLToPath(new URL('../../../', import.meta.url));
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [message] = await once(child, 'message');
  assert.equal(message, 'counted');
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

describe('native buckets', () => {
  it('add up over worker threads, ended ones included', async () => {
    const workers = SCHEMAS.map((schema, writer) =>
      startWorker(
        (metheus, { data }) => {
          const run = (code: string) => new Function(`return ${code}`)();
          run(data.observe)(metheus, run(data.valuesOf)(data.writer, data.count), data.schema);
        },
        { observe: String(observe), valuesOf: String(valuesOf), writer, count: VALUES, schema },
      ),
    );
    await Promise.all(workers.map(gone));
    checkAll(await REGISTRY.collect(), ALL);
  });

  it('keep their limit together, and never become finer, with any resolution of each thread', async () => {
    const options = { native: { schema: 3, maxBuckets: 12, maxZeroThreshold: 0.5, zeroThreshold: 0 } };
    const values: number[] = [];
    let before = { schema: 8, zeroThreshold: 0 };
    for (let round = 0; round < 8; round++) {
      const plans = [3, 20, 400].map((count, i) => ({ writer: 3 * round + i, count: count >> (round % 3) }));
      const workers = plans.map((plan) =>
        startWorker(
          (metheus, { data }) => {
            const histogram = metheus.createHistogram('limited_seconds', 'L.', data.options);
            const valuesOf = new Function(`return ${data.valuesOf}`)();
            for (const value of valuesOf(data.writer, data.count)) histogram.observe(value);
          },
          { options, valuesOf: String(valuesOf), ...plan },
        ),
      );
      for (const { writer, count } of plans) values.push(...valuesOf(writer, count));
      await Promise.all(workers.map(gone));
      const family = (await REGISTRY.collect()).find(({ family }) => family.name === 'limited_seconds');
      const { schema, zeroThreshold, zeroCount, count, positive, negative } = family!.native![0]!;
      const buckets = new Map<number, number>();
      let zeros = 0;
      for (const value of values) {
        if (Math.abs(value) <= zeroThreshold) zeros += 1;
        else if (value > 0) {
          const index = PowerIndex.of(schema).indexOf(value);
          buckets.set(index, (buckets.get(index) ?? 0) + 1);
        }
      }
      const shown = Array.from(positive.index, (index, i) => [index, positive.counts[i]]);
      assert.deepEqual(
        shown,
        [...buckets].sort(([a], [b]) => a - b),
      );
      assert.deepEqual([zeroCount, count], [zeros, values.length]);
      assert.ok(positive.index.length + negative.index.length <= 12);
      assert.ok(schema <= before.schema && zeroThreshold >= before.zeroThreshold);
      before = { schema, zeroThreshold };
    }
    assert.ok(before.schema < 3 && before.zeroThreshold > 0, JSON.stringify(before));
  });

  it('add up over processes that share a directory: killed, and compacted', async (t) => {
    const directory = makeDirectory(t);
    const load = `
      import { MultiProcessFileBackend } from 'metheus/backends/file';
      await metheus.loadBackend(MultiProcessFileBackend, { directory: ${JSON.stringify(directory)} });
    `;
    const writers = await Promise.all(SCHEMAS.map((_, writer) => startProcess(t, writer, load)));
    const reader = await openBackend(t, { directory });
    const read = async () => attachNative(await reader.snapshot({ families: [], scopes: [''] }));
    checkAll(await read(), ALL);
    for (const writer of writers) await writer.kill();
    checkAll(await read(), ALL);
    await reader.compact();
    checkAll(await read(), ALL);
  });

  it('add up over processes that share a Redis', { skip: requireTool('redis-server') }, async (t) => {
    const server = await startRedis();
    t.after(() => server.stop());
    const options = optionsFor(server);
    const load = `
      import { MultiProcessRedisBackend } from 'metheus/backends/redis';
      await metheus.loadBackend(MultiProcessRedisBackend, ${JSON.stringify(options)});
    `;
    const writers = await Promise.all(SCHEMAS.map((_, writer) => startProcess(t, writer, load)));
    const reader = await openRedis(options);
    t.after(() => reader.close());
    const read = async () => attachNative(await reader.snapshot({ families: [], scopes: [''] }));
    checkAll(await read(), ALL);
    for (const writer of writers) await writer.kill();
    checkAll(await read(), ALL);
  });
});
