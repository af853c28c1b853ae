/** Setting and observing values on a kept child. */
import { CollectorRegistry, createGauge, createHistogram, createSummary, DEFAULT_BUCKETS } from 'metheus';
import { type Case, expectEqual, perRound, type Size, type Subject } from '../case.js';
import type { PromClient, PromConfig } from '../peers.js';
import { metheusText, samplesOf } from '../workload/exposition-samples.js';
import { REQUEST_LABELS } from '../workload/label-sets.js';
import { DEPENDENT_ADD } from './limits.js';

const GIVEN = { method: 'GET', route: '/', status: '200' };
const SERIES = 'method="GET",route="/",status="200"';
const VALUES = 65_536;
const ROUNDS = VALUES * 3;

let state = 1;

/** Returns the same sequence of numbers in every process. */
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  return (state >>> 0) / 2 ** 32;
}

/** Values in random order, too many for a processor to learn, about equally many for each bucket. */
const values = Float64Array.from({ length: VALUES }, () => {
  const bucket = Math.floor(random() * (DEFAULT_BUCKETS.length + 1));
  const low = DEFAULT_BUCKETS[bucket - 1] ?? 0;
  const high = DEFAULT_BUCKETS[bucket] ?? 20;
  return low + (high - low) * random();
});

type Text = () => Promise<string>;

function setting(gauge: { set(value: number): void }, text: Text, size: Size): Subject {
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) gauge.set(i);
  };
  return {
    async check() {
      loop(ROUNDS);
      expectEqual('gauge', samplesOf(await text()).get(`work{${SERIES}}`)!, ROUNDS - 1);
    },
    run: perRound(loop, size),
  };
}

function observing(child: { observe(value: number): void }, text: Text, size: Size): Subject {
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) child.observe(values[i & (VALUES - 1)]!);
  };
  return {
    async check() {
      loop(ROUNDS);
      const samples = samplesOf(await text());
      expectEqual('count', samples.get(`work_count{${SERIES}}`)!, ROUNDS);
      expectEqual('sum', samples.get(`work_sum{${SERIES}}`)!, 3 * values.reduce((sum, value) => sum + value));
      for (const bound of samples.has(`work_bucket{le="1",${SERIES}}`) ? DEFAULT_BUCKETS : []) {
        const below = values.filter((value) => value <= bound).length;
        expectEqual(`bucket ${bound}`, samples.get(`work_bucket{le="${bound}",${SERIES}}`)!, 3 * below);
      }
    },
    run: perRound(loop, size),
  };
}

const MEDIAN = [...values].sort((a, b) => a - b)[VALUES / 2 - 1]!;

function native(size: Size): Subject {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const options = { requiredLabels: REQUEST_LABELS, registry, native: true };
  const child = createHistogram('work', 'Work.', options).labels(GIVEN);
  const { check, run } = observing(child, metheusText(registry), size);
  return {
    async check() {
      await check();
      const [family] = await registry.collect();
      expectEqual('native count', family!.native![0]!.count, ROUNDS);
    },
    run,
  };
}

function quantiles(size: Size): Subject {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const options = { requiredLabels: REQUEST_LABELS, registry, quantiles: [0.5, 0.9, 0.99] };
  const child = createSummary('work', 'Work.', options).labels(GIVEN);
  const { check, run } = observing(child, metheusText(registry), size);
  return {
    async check() {
      await check();
      const [family] = await registry.collect();
      const off = Math.abs(family!.quantiles![0]! / MEDIAN - 1);
      if (!(off <= 0.01)) throw new Error(`the median is off by ${off}`);
    },
    run,
  };
}

const config = { name: 'work', help: 'Work.', labelNames: REQUEST_LABELS };

function theirs<R>(
  { Registry }: PromClient,
  make: (config: PromConfig) => { labels(given: Readonly<Record<string, string>>): R },
): [child: R, text: Text] {
  const registry = new Registry();
  return [make({ ...config, registers: [registry] }).labels(GIVEN), () => registry.metrics()];
}

function ours<R>(make: (options: OurOptions) => R): [child: R, text: Text] {
  const registry = new CollectorRegistry({ scope: 'bench' });
  return [make({ requiredLabels: REQUEST_LABELS, registry }), metheusText(registry)];
}

interface OurOptions {
  readonly requiredLabels: typeof REQUEST_LABELS;
  readonly registry: CollectorRegistry;
}

export const CASES: readonly Case[] = [
  {
    group: 'metrics',
    name: 'gauge.set on a kept child',
    unit: 'ns',
    ours: (size) => setting(...ours((options) => createGauge('work', 'Work.', options).labels(GIVEN)), size),
    theirs: (client, size) => setting(...theirs(client, (given) => new client.Gauge(given)), size),
    limitedBy: DEPENDENT_ADD,
    target: { max: 2 },
  },
  {
    group: 'metrics',
    name: 'histogram.observe on a kept child, 11 buckets',
    unit: 'ns',
    ours: (size) =>
      observing(...ours((options) => createHistogram('work', 'Work.', options).labels(GIVEN)), size),
    theirs: (client, size) => observing(...theirs(client, (given) => new client.Histogram(given)), size),
    limitedBy: DEPENDENT_ADD,
    target: { max: 10 },
  },
  {
    group: 'metrics',
    name: 'summary.observe on a kept child',
    unit: 'ns',
    ours: (size) =>
      observing(...ours((options) => createSummary('work', 'Work.', options).labels(GIVEN)), size),
    theirs: (client, size) => observing(...theirs(client, (given) => new client.Summary(given)), size),
    limitedBy: DEPENDENT_ADD,
    target: { max: 5 },
  },
  {
    group: 'metrics',
    name: 'observe, native',
    unit: 'ns',
    ours: native,
    limitedBy: DEPENDENT_ADD,
  },
  {
    group: 'metrics',
    name: 'observe, quantiles',
    unit: 'ns',
    ours: quantiles,
    limitedBy: DEPENDENT_ADD,
  },
];
