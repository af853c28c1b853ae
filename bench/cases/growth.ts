/** How costs grow: the same work with more series, labels, processes and bars. */
import { CollectorRegistry, createCounter, generateBytes, generateMetrics } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';
import { type Case, type Curve, expectEqual, perRound, type Size, type Subject } from '../case.js';
import { type Amount, fillOurs, fillTheirs } from '../filled.js';
import { labelSets, REQUEST_LABELS } from '../label-sets.js';
import type { PromClient } from '../peers.js';
import { sumOf } from '../samples.js';
import { mergedBy, mergedOurs } from './file.js';
import { Scraping } from './scrapes.js';

const THOUSANDS = [1000, 10_000, 100_000, 1_000_000];
/** Peers take minutes beyond. */
const MOST_OF_PEERS = 100_000;

interface Points {
  readonly curve: Curve;
  readonly at: readonly number[];
  ours(x: number, size: Size): Subject | Promise<Subject>;
  theirs?(client: PromClient, x: number, size: Size): Subject | Promise<Subject>;
  readonly mostOfPeers?: number;
}

function pointsOf({ curve, at, ours, theirs, mostOfPeers = Number.POSITIVE_INFINITY }: Points): Case[] {
  return at.map((x) => ({
    group: 'growth',
    name: `${curve.name}: ${x.toLocaleString('en')} ${curve.x}`,
    unit: curve.unit,
    slow: true,
    point: { curve, x },
    ours: (size) => ours(x, size),
    ...(theirs !== undefined && x <= mostOfPeers
      ? { theirs: (client, size) => theirs(client, x, size) }
      : {}),
  }));
}

const counters = (series: number): Amount => ({ kind: 'counter', families: 1, series });

const scrapeAgainstSeries: Points = {
  curve: { name: 'scrape', x: 'counters', unit: 'ms', file: 'scrape' },
  at: THOUSANDS,
  ours(x) {
    const registry = fillOurs(counters(x));
    return new Scraping(counters(x), () => generateBytes(registry));
  },
  theirs(client, x) {
    const registry = fillTheirs(client, counters(x));
    return new Scraping(counters(x), async () => Buffer.from(await registry.metrics()));
  },
  mostOfPeers: MOST_OF_PEERS,
};

interface Child {
  inc(): void;
}

/** All children of a counter in turn, in an order in which nothing lies beside the next. */
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
  ours(x, size) {
    const registry = new CollectorRegistry();
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
  mostOfPeers: MOST_OF_PEERS,
};

const labelNames = (count: number) => Array.from({ length: count }, (_, i) => `label_${i}`);

/** 500 sets of labels: one label tells them apart, the others are alike. */
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
  ours(x, size) {
    const registry = new CollectorRegistry();
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

const fleetOf = (processes: number) => ({ load: { counters: 1000, histograms: 0 }, processes });

const mergeAgainstProcesses: Points = {
  curve: { name: 'merged scrape, 1,000 counters each', x: 'processes', unit: 'ms', file: 'processes' },
  at: [1, 2, 4, 8, 16],
  ours: (x, size) => mergedOurs(fleetOf(x), size),
  theirs: (client, x, size) => mergedBy(client, fleetOf(x), size),
};

const BARS = [1, 10, 100, 1000, 10_000];
const file = { write: () => true, isTTY: true, columns: 80 };

function openBars(proxy: TqdmPromProxy, count: number) {
  return Array.from({ length: count }, (_, i) =>
    proxy.tqdm(null, { desc: `Bar ${i % 100}`, total: 1e9, file }),
  );
}

const updateAgainstBars: Points = {
  curve: { name: 'bar.update(1) on open bars in turn', x: 'bars', unit: 'ns', file: 'bars' },
  at: BARS,
  ours(x, size) {
    const bars = openBars(new TqdmPromProxy(), x);
    let next = 0;
    const loop = (rounds: number) => {
      for (let i = 0; i < rounds; i++) {
        bars[next]!.update(1);
        next = next + 1 === bars.length ? 0 : next + 1;
      }
    };
    return {
      check() {
        loop(x * 3);
        for (const bar of bars) expectEqual('n', bar.n, 3);
      },
      run: perRound(loop, size),
    };
  },
};

const scrapeAgainstBars: Points = {
  curve: { name: 'scrape of open bars in 100 buckets', x: 'bars', unit: 'ms', file: 'bars-scrape' },
  at: BARS,
  ours(x) {
    const proxy = new TqdmPromProxy();
    for (const bar of openBars(proxy, x)) bar.update(2);
    const registry = new CollectorRegistry();
    registry.register(proxy);
    return {
      async check() {
        const text = await generateMetrics(registry);
        const lines = text.split('\n').filter((line) => line.startsWith('progress_completed_total{'));
        expectEqual('work', sumOf(lines.join('\n')), x * 2);
      },
      async run() {
        const start = performance.now();
        await generateMetrics(registry);
        return performance.now() - start;
      },
    };
  },
};

export const GROWTH: readonly Case[] = [
  scrapeAgainstSeries,
  incAgainstSeries,
  labelsAgainstLabels,
  mergeAgainstProcesses,
  updateAgainstBars,
  scrapeAgainstBars,
].flatMap(pointsOf);
