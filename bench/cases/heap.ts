/** Memory of a series. */
import { CollectorRegistry, createCounter, generateMetrics } from 'metheus';
import { type Case, expectEqual, type Size, type Subject } from '../case.js';
import type { PromClient } from '../peers.js';
import { samplesOf } from '../workload/exposition-samples.js';
import { labelSets, REQUEST_LABELS, type RequestLabels } from '../workload/label-sets.js';

/**
 * Memory that is measured: `heap` is JavaScript objects, `all` includes array buffers and other external
 * memory.
 */
export type Memory = 'heap' | 'all';

function used(memory: Memory): number {
  for (let i = 0; i < 2; i++) global.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return memory === 'heap' ? heapUsed : heapUsed + external;
}

/** A filled registry, made anew for every run. The label values exist before, for ours and theirs. */
export interface Holder {
  text(): Promise<string>;
}

/** @param sample - the metric whose samples of each label set add up to `sum` */
export function weighing(
  memory: Memory,
  hold: (sets: Sets) => Holder,
  sets: Sets,
  sample = 'requests_total',
  sum = 1,
): Subject {
  return {
    async check() {
      const all = samplesOf(await hold(sets).text());
      const samples = [...all].filter(([series]) => series.startsWith(`${sample}{`));
      expectEqual(
        'sum',
        samples.reduce((total, [, value]) => total + value, 0),
        sum * sets.length,
      );
      if (samples.length < sets.length) throw new Error(`${samples.length} series, expected ${sets.length}`);
    },
    run() {
      const before = used(memory);
      const holder = hold(sets);
      const after = used(memory);
      // Uses the registry after the measurement, so that it cannot be collected before.
      if (typeof holder.text !== 'function') throw new Error('the registry is missing');
      return (after - before) / sets.length;
    },
  };
}

export type Sets = readonly RequestLabels[];

const sharedSets =
  (count = 100_000) =>
  ({ quick }: Size): Sets =>
    labelSets(quick ? Math.min(count, 10_000) : count);

/** Gives every series its own first label, the worst case for a tree of maps. */
function uniqueFirst(size: Size): Sets {
  return sharedSets()(size).map(({ route, status }, i) => ({ method: `tenant-${i}`, route, status }));
}

function holdOurs(sets: readonly RequestLabels[]): Holder {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const counter = createCounter('requests_total', 'Requests.', { requiredLabels: REQUEST_LABELS, registry });
  for (const labels of sets) counter.labels(labels).inc();
  return { text: () => generateMetrics(registry) };
}

function holdTheirs({ Counter, Registry }: PromClient, sets: readonly RequestLabels[]): Holder {
  const registry = new Registry();
  const config = { name: 'requests_total', help: 'Requests.', registers: [registry] };
  const counter = new Counter({ ...config, labelNames: REQUEST_LABELS });
  for (const labels of sets) counter.labels(labels).inc();
  return { text: () => registry.metrics() };
}

function heapOf(
  name: string,
  memory: Memory,
  setsOf: (size: Size) => Sets,
  more: Pick<Case, 'target' | 'quick'> = {},
): Case {
  return {
    group: 'scrape',
    name,
    unit: 'B',
    slow: true,
    quick: '10,000',
    ...more,
    ours: (size) => weighing(memory, holdOurs, setsOf(size)),
    theirs: (client, size) => weighing(memory, (sets) => holdTheirs(client, sets), setsOf(size)),
  };
}

const ALL = 'heap and other memory per series, 3 labels';

export const CASES: readonly Case[] = [
  heapOf('heap per series, 3 labels, 100,000 counters', 'heap', sharedSets(), { target: { max: 150 } }),
  heapOf(`${ALL}, 1,000 counters`, 'all', sharedSets(1000), { quick: false }),
  heapOf(`${ALL}, 100,000 counters`, 'all', sharedSets(), { target: { max: 130 } }),
  // Peers take minutes.
  withoutPeers(heapOf(`${ALL}, 1,000,000 counters`, 'all', sharedSets(1_000_000), { quick: false })),
  heapOf('heap and other memory per series, first label unique, 100,000 counters', 'all', uniqueFirst, {
    target: { max: 180 },
  }),
];

function withoutPeers({ theirs: _, ...ours }: Case): Case {
  return ours;
}
