/** What it costs to keep a series. */
import { CollectorRegistry, createCounter, generateMetrics } from 'metheus';
import { type Case, expectEqual, type Subject } from '../case.js';
import { labelSets, REQUEST_LABELS, type RequestLabels } from '../label-sets.js';
import type { PromClient } from '../peers.js';
import { samplesOf } from '../samples.js';

const SERIES = 100_000;

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

function weighing(
  memory: Memory,
  hold: (sets: readonly RequestLabels[]) => Holder,
  unique: boolean,
): Subject {
  const sets = unique ? uniqueFirst() : labelSets(SERIES);
  return {
    async check() {
      const samples = samplesOf(await hold(sets).text());
      expectEqual('series', samples.size, SERIES);
      expectEqual(
        'all counters',
        [...samples.values()].reduce((sum, value) => sum + value),
        SERIES,
      );
    },
    run() {
      const before = used(memory);
      const holder = hold(sets);
      const after = used(memory);
      // Used after the measurement, so that nothing of it can be collected before.
      if (typeof holder.text !== 'function') throw new Error('nothing was made');
      return (after - before) / SERIES;
    },
  };
}

/** The worst for a client that keeps a tree: every series has its own first label. */
function uniqueFirst(): RequestLabels[] {
  return labelSets(SERIES).map(({ route, status }, i) => ({ method: `tenant-${i}`, route, status }));
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

function heapOf(name: string, memory: Memory, unique = false): Case {
  return {
    group: 'scrape',
    name,
    unit: 'B',
    slow: true,
    ours: () => weighing(memory, holdOurs, unique),
    theirs: (client) => weighing(memory, (sets) => holdTheirs(client, sets), unique),
  };
}

export const HEAP: readonly Case[] = [
  heapOf('heap per series, 3 labels', 'heap'),
  heapOf('heap and other memory per series, 3 labels', 'all'),
  heapOf('heap and other memory per series, first label unique', 'all', true),
];
