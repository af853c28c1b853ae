/** How costs grow with the number of series and of labels. */
import { CollectorRegistry, createCounter, generateBytes, generateMetrics } from 'metheus';
import { type Case, expectEqual, perRound, type Size, type Subject } from '../case.js';
import { sumOf } from '../workload/exposition-samples.js';
import { fillOurs, fillTheirs } from '../workload/filled-registries.js';
import { type Amount, labelSets, REQUEST_LABELS } from '../workload/label-sets.js';
import { type Points, pointsOf } from './curve-points.js';
import { Scraping } from './scrapes.js';

const THOUSANDS = [1000, 10_000, 100_000, 1_000_000];
/** Above this number of series the peers take minutes. */
const MAX_OF_PEERS = 100_000;

const counters = (series: number): Amount => ({ kind: 'counter', families: 1, series });

const scrapeAgainstSeries: Points = {
  curve: { name: 'scrape', x: 'counters', unit: 'ms', file: 'scrape' },
  at: THOUSANDS,
  quickly: [1000, 10_000],
  ours(x) {
    const registry = fillOurs(counters(x));
    return new Scraping(counters(x), () => generateBytes(registry));
  },
  theirs(client, x) {
    const registry = fillTheirs(client, counters(x));
    return new Scraping(counters(x), async () => Buffer.from(await registry.metrics()));
  },
  maxWithPeers: MAX_OF_PEERS,
};

interface Child {
  inc(): void;
}

/**
 * Increments all children of a counter in an order in which no two neighbours in memory follow each other.
 */
function inTurn(children: readonly Child[], text: () => Promise<string>, size: Size): Subject {
  let next = 0;
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      children[next]!.inc();
      next = next + 1 === children.length ? 0 : next + 1;
    }
  };
  return {
    async check() {
      loop(children.length * 3);
      expectEqual('all counters', sumOf(await text()), children.length * 3);
    },
    run: perRound(loop, size),
  };
}

const incAgainstSeries: Points = {
  curve: { name: 'inc on kept children in turn', x: 'children', unit: 'ns', file: 'inc' },
  at: THOUSANDS,
  quickly: [1000, 10_000],
  ours(x, size) {
    const registry = new CollectorRegistry({ scope: 'bench' });
    const counter = createCounter('work_total', 'Work.', { requiredLabels: REQUEST_LABELS, registry });
    const children = labelSets(x).map((labels) => counter.labels(labels));
    return inTurn(children, () => generateMetrics(registry), size);
  },
  theirs({ Counter, Registry }, x, size) {
    const registry = new Registry();
    const config = { name: 'work_total', help: 'Work.', labelNames: REQUEST_LABELS };
    const counter = new Counter({ ...config, registers: [registry] });
    const children = labelSets(x).map((labels) => counter.labels(labels));
    return inTurn(children, () => registry.metrics(), size);
  },
  maxWithPeers: MAX_OF_PEERS,
};

const labelNames = (count: number) => Array.from({ length: count }, (_, i) => `label_${i}`);

/** 500 label sets that differ in one label only. */
const setsOf = (names: readonly string[]) =>
  Array.from({ length: 500 }, (_, i) =>
    Object.fromEntries(names.map((name, k) => [name, k === names.length - 1 ? `value-${i}` : 'same'])),
  );

type Labels = Readonly<Record<string, string>>;

function byLabels(
  metric: { labels(given: Labels): Child },
  sets: readonly Labels[],
  text: () => Promise<string>,
  size: Size,
): Subject {
  let next = 0;
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      metric.labels(sets[next]!).inc();
      next = next + 1 === sets.length ? 0 : next + 1;
    }
  };
  return {
    async check() {
      loop(sets.length * 3);
      expectEqual('all counters', sumOf(await text()), sets.length * 3);
    },
    run: perRound(loop, size),
  };
}

const labelsAgainstLabels: Points = {
  curve: { name: 'labels().inc', x: 'labels', unit: 'ns', file: 'labels' },
  at: [1, 2, 3, 4, 6, 8],
  quickly: [1, 8],
  ours(x, size) {
    const registry = new CollectorRegistry({ scope: 'bench' });
    const names = labelNames(x);
    const counter = createCounter('work_total', 'Work.', { requiredLabels: names, registry });
    return byLabels(
      counter as unknown as { labels(given: Labels): Child },
      setsOf(names),
      () => generateMetrics(registry),
      size,
    );
  },
  theirs({ Counter, Registry }, x, size) {
    const registry = new Registry();
    const names = labelNames(x);
    const config = { name: 'work_total', help: 'Work.', labelNames: names, registers: [registry] };
    return byLabels(new Counter(config), setsOf(names), () => registry.metrics(), size);
  },
};

export const CASES: readonly Case[] = [scrapeAgainstSeries, incAgainstSeries, labelsAgainstLabels].flatMap(
  pointsOf,
);
