/** What it costs to keep a series. */
import { CollectorRegistry, createCounter, generateMetrics } from 'metheus';
import { type Case, expectEqual, type Size, type Subject } from '../case.js';
import { labelSets, REQUEST_LABELS, type RequestLabels } from '../label-sets.js';
import type { PromClient } from '../peers.js';
import { samplesOf } from '../samples.js';

/** Which memory is looked at: JavaScript objects, or array buffers and other memory beside them too. */
type Memory = 'heap' | 'all';

function used(memory: Memory): number {
  for (let i = 0; i < 2; i++) global.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return memory === 'heap' ? heapUsed : heapUsed + external;
}

/** Made anew for every run. The label values themselves are there before, in either case. */
interface Holder {
  text(): Promise<string>;
}

function weighing(memory: Memory, hold: (sets: readonly RequestLabels[]) => Holder, sets: Sets): Subject {
  return {
    async check() {
      const samples = samplesOf(await hold(sets).text());
      expectEqual('series', samples.size, sets.length);
      expectEqual(
        'all counters',
        [...samples.values()].reduce((sum, value) => sum + value),
        sets.length,
      );
    },
    run() {
      const before = used(memory);
      const holder = hold(sets);
      const after = used(memory);
      // Used after the measurement, so that nothing of it can be collected before.
      if (typeof holder.text !== 'function') throw new Error('nothing was made');
      return (after - before) / sets.length;
    },
  };
}

type Sets = readonly RequestLabels[];

function sharedSets({ quick }: Size): Sets {
  return labelSets(quick ? 20_000 : 100_000);
}

/** The worst for a client that keeps a tree: every series has its own first label. */
function uniqueFirst(size: Size): Sets {
  return sharedSets(size).map(({ route, status }, i) => ({ method: `tenant-${i}`, route, status }));
}

function holdOurs(sets: readonly RequestLabels[]): Holder {
  const registry = new CollectorRegistry();
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

function heapOf(name: string, memory: Memory, setsOf: (size: Size) => Sets): Case {
  return {
    group: 'scrape',
    name,
    unit: 'B',
    slow: true,
    ours: (size) => weighing(memory, holdOurs, setsOf(size)),
    theirs: (client, size) => weighing(memory, (sets) => holdTheirs(client, sets), setsOf(size)),
  };
}

export const HEAP: readonly Case[] = [
  heapOf('heap per series, 3 labels', 'heap', sharedSets),
  heapOf('heap and other memory per series, 3 labels', 'all', sharedSets),
  heapOf('heap and other memory per series, first label unique', 'all', uniqueFirst),
];
