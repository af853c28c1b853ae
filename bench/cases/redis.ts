/** Many machines: the cost of counting with Redis in the program that counts, in Redis and at a scrape. */
import { createCounter, createHistogram, loadBackend } from 'metheus';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { type Case, expectEqual, type Size, type Subject } from '../case.js';
import { labelSets, REQUEST_LABELS } from '../workload/label-sets.js';
import { operationWith } from './backend-operations.js';
import { checkFleet, type Load, scrapeOurs, scraping } from './fleet.js';
import { startFleet } from './fleet-processes.js';
import { incrementing, scraping as scrapingPytheus } from './pytheus.js';
import { startRedisServer } from './redis-server.js';

const SERIES = 10_000;
const LOAD: Load = { counters: SERIES, histograms: 0 };
const NAME = 'requests_total';

async function loadRedis(given: { readonly flushInterval?: number } = {}) {
  const { host, port, call } = await startRedisServer();
  const config = { host, port, keyPrefix: 'bench', failFast: true };
  const backend = await loadBackend(MultiProcessRedisBackend, { ...config, ...given });
  return { backend, config, call };
}

/** Prepares a family of which every cell changes, and which is flushed by the case only. */
async function flushing(cells: number) {
  const { backend, config, call } = await loadRedis({ flushInterval: 3600 });
  const counter = createCounter(NAME, 'Requests.', { requiredLabels: REQUEST_LABELS });
  const children = labelSets(cells).map((labels) => counter.labels(labels));
  const change = () => {
    for (const child of children) child.inc();
  };
  const check = async () => {
    for (let i = 0; i < 3; i++) {
      change();
      await backend.flush();
    }
    // Reads with a backend that has counted nothing, so that the numbers come from Redis.
    const reader = new MultiProcessRedisBackend(config);
    await reader.open();
    const snapshots = await reader.snapshot({ families: [], scopes: [''] });
    await reader.close();
    const { values } = snapshots.find(({ family }) => family.name === NAME)!;
    expectEqual('cells in Redis', values.length, cells);
    expectEqual(
      'all counters in Redis',
      values.reduce((sum, value) => sum + value),
      cells * 3,
    );
  };
  return { change, flush: () => backend.flush(), check, call };
}

async function throughput({ quick }: Size): Promise<Subject> {
  const cells = quick ? 20_000 : 100_000;
  const { change, flush, check } = await flushing(cells);
  return {
    check,
    async run() {
      change();
      const start = performance.now();
      await flush();
      return (cells * 1000) / (performance.now() - start);
    },
  };
}

/** Flushes in one run. The clock of processor time is too coarse for one flush. */
const FLUSHES = 10;
const SECOND_US = 1_000_000;

async function share(): Promise<Subject> {
  const { change, flush, check } = await flushing(SERIES);
  return {
    check,
    async run() {
      const before = process.cpuUsage();
      for (let i = 0; i < FLUSHES; i++) {
        change();
        await flush();
      }
      const { user, system } = process.cpuUsage(before);
      return ((user + system) / FLUSHES / SECOND_US) * 100;
    },
  };
}

/** A histogram has one series with all its buckets for each label set. */
async function countHistograms() {
  const { backend, call } = await loadRedis({ flushInterval: 3600 });
  const histogram = createHistogram('seconds', 'Time.', { requiredLabels: REQUEST_LABELS });
  for (const labels of labelSets(SERIES)) histogram.labels(labels).observe(1);
  return { check: () => backend.flush(), call };
}

async function weighing(counted: ReturnType<typeof countHistograms>): Promise<Subject> {
  const { check, call } = await counted;
  return {
    check,
    async run() {
      const keys = (await call('KEYS', 'bench:{*')) as string[];
      expectEqual('families', keys.length, 1);
      return Number(await call('MEMORY', 'USAGE', keys[0]!, 'SAMPLES', '0')) / SERIES;
    },
  };
}

/** Scrapes the numbers of another program, in a process that counts nothing. */
async function exporting(size: Size): Promise<Subject> {
  const { config } = await loadRedis();
  await startFleet(
    { load: LOAD, processes: 1 },
    { METHEUS_BACKEND_CLASS: 'redis', METHEUS_BACKEND_CONFIG: JSON.stringify(config) },
  );
  return scraping(scrapeOurs, (text) => checkFleet(text, LOAD, 1), size);
}

export const CASES: readonly Case[] = [
  {
    ...operationWith('redis', 'inc', loadRedis),
    rivals: { pytheus: incrementing },
    slow: 'peers',
    target: { max: 2.5 },
  },
  {
    group: 'redis',
    name: 'flush of 100,000 changed cells',
    unit: 'cells/s',
    quick: '20,000',
    target: { min: 200_000 },
    ours: throughput,
  },
  {
    group: 'redis',
    name: 'processor time of flushing 10,000 changed cells a second',
    unit: '%',
    target: { max: 3 },
    ours: share,
  },
  {
    group: 'redis',
    name: 'scrape of 10,000 counters by an exporter',
    unit: 'ms',
    slow: 'peers',
    target: { max: 20 },
    ours: exporting,
    rivals: { pytheus: () => scrapingPytheus(SERIES) },
  },
  {
    group: 'redis',
    name: 'memory of Redis per series, 3 labels',
    unit: 'B',
    slow: true,
    ours: () => weighing(flushing(SERIES)),
  },
  {
    group: 'redis',
    name: 'memory of Redis per histogram, 11 buckets, 3 labels',
    unit: 'B',
    slow: true,
    ours: () => weighing(countHistograms()),
  },
];
