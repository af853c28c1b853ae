/**
 * Memory of a series of each type but counters, which are in `heap.ts`, and infos, of which a program has
 * few.
 */
import {
  CollectorRegistry,
  createGauge,
  createHistogram,
  createStateSet,
  createSummary,
  DEFAULT_BUCKETS,
  generateMetrics,
} from 'metheus';
import type { Case } from '../case.js';
import type { PromChild, PromClient, PromConfig } from '../peers.js';
import { labelSets, REQUEST_LABELS, type RequestLabels } from '../workload/label-sets.js';
import { type Holder, type Memory, type Sets, weighing } from './heap.js';

const SERIES = 20_000;
/** Fewer label sets for types that keep values, which take a hundred times as long to fill. */
const FEWER_SERIES = 2000;
/** One value for each bucket, the last one for `+Inf`. */
const OBSERVED = [...DEFAULT_BUCKETS, 20];

/** Creates the series of these labels and counts in it. */
type Put = (labels: RequestLabels) => void;

interface OurOptions {
  readonly requiredLabels: typeof REQUEST_LABELS;
  readonly registry: CollectorRegistry;
}

interface Type {
  readonly name: string;
  readonly ours: (options: OurOptions) => Put;
  readonly theirs?: (client: PromClient, config: PromConfig) => Put;
  /** The metric whose samples are checked, and the sum of those of one label set. */
  readonly sample: string;
  readonly sum: number;
  readonly series?: number;
}

interface Labelled<Child> {
  labels(given: RequestLabels): Child;
}

function observing(metric: Labelled<Pick<PromChild, 'observe'>>): Put {
  return (labels) => {
    const child = metric.labels(labels);
    for (const value of OBSERVED) child.observe(value);
  };
}

function setting(metric: Labelled<Pick<PromChild, 'set'>>): Put {
  return (labels) => metric.labels(labels).set(1);
}

const OBSERVATIONS = { sample: 'work_count', sum: OBSERVED.length };

const TYPES: readonly Type[] = [
  {
    name: 'gauge',
    ours: (options) => setting(createGauge('work', 'Work.', options)),
    theirs: ({ Gauge }, config) => setting(new Gauge(config)),
    sample: 'work',
    sum: 1,
  },
  {
    name: 'histogram, 11 buckets',
    ours: (options) => observing(createHistogram('work', 'Work.', options)),
    theirs: ({ Histogram }, config) => observing(new Histogram(config)),
    ...OBSERVATIONS,
  },
  {
    name: 'native histogram, 12 values',
    ours: (options) => observing(createHistogram('work', 'Work.', { ...options, native: true })),
    ...OBSERVATIONS,
    series: FEWER_SERIES,
  },
  {
    name: 'summary',
    ours: (options) => observing(createSummary('work', 'Work.', options)),
    ...OBSERVATIONS,
  },
  {
    name: 'summary with quantiles, 12 values',
    ours: (options) => observing(createSummary('work', 'Work.', { ...options, quantiles: [0.5, 0.9, 0.99] })),
    theirs: ({ Summary }, config) => observing(new Summary(config)),
    ...OBSERVATIONS,
    series: FEWER_SERIES,
  },
  {
    name: 'stateset of 3',
    ours: (options) => {
      const states = createStateSet('work', 'Work.', { ...options, states: ['waits', 'runs', 'ended'] });
      return (labels) => states.labels(labels).set('runs');
    },
    sample: 'work',
    sum: 1,
  },
];

function holdOurs({ ours }: Type, sets: Sets): Holder {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const put = ours({ requiredLabels: REQUEST_LABELS, registry });
  for (const labels of sets) put(labels);
  return { text: () => generateMetrics(registry) };
}

function holdTheirs(theirs: NonNullable<Type['theirs']>, client: PromClient, sets: Sets): Holder {
  const registry = new client.Registry();
  const config = { name: 'work', help: 'Work.', labelNames: REQUEST_LABELS, registers: [registry] };
  const put = theirs(client, config);
  for (const labels of sets) put(labels);
  return { text: () => registry.metrics() };
}

function heapOf(type: Type, memory: Memory): Case {
  const { name, theirs, sample, sum, series = SERIES } = type;
  const sets = labelSets(series);
  return {
    group: 'scrape',
    name: `${memory === 'heap' ? 'heap' : 'heap and other memory'} per ${name}, 3 labels`,
    unit: 'B',
    slow: true,
    quick: false,
    ours: () => weighing(memory, (given) => holdOurs(type, given), sets, sample, sum),
    ...(theirs !== undefined && {
      theirs: (client) => weighing(memory, (given) => holdTheirs(theirs, client, given), sets, sample, sum),
    }),
  };
}

export const CASES: readonly Case[] = TYPES.flatMap((type) => [heapOf(type, 'heap'), heapOf(type, 'all')]);
