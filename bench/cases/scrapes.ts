/** A whole scrape, until its bytes are ready to be sent. */
import {
  CollectorRegistry,
  createCounter,
  createHistogram,
  DEFAULT_BUCKETS,
  generateMetrics,
  streamMetrics,
} from 'metheus';
import { type Case, expectEqual, type Subject } from '../case.js';
import { labelSets, REQUEST_LABELS } from '../label-sets.js';
import type { PromClient } from '../peers.js';
import { samplesOf } from '../samples.js';

const COUNTERS = 100_000;
const HISTOGRAMS = 10_000;
const ROW_BYTES = 8;

/** Makes metrics and knows what a scrape of them has to show. */
interface Fill {
  /** Counter `i` gets `i % 1000`; histogram `i` gets one value for each of its buckets. */
  add(labels: Readonly<Record<string, string>>, i: number): void;
}

function fill(count: number, { add }: Fill): void {
  for (const [i, labels] of labelSets(count).entries()) add(labels, i);
}

const observed = [...DEFAULT_BUCKETS, 20];

function scraping(scrape: () => Promise<Uint8Array>, count: number): Subject & { bytes: number } {
  const subject = {
    bytes: 0,
    async check() {
      const bytes = await scrape();
      subject.bytes = bytes.length;
      checkText(Buffer.from(bytes).toString(), count);
    },
    async run() {
      const start = performance.now();
      await scrape();
      return performance.now() - start;
    },
  };
  return subject;
}

function checkText(text: string, count: number): void {
  const samples = samplesOf(text);
  const isCounters = count === COUNTERS;
  expectEqual('lines', samples.size, isCounters ? count : count * (DEFAULT_BUCKETS.length + 3));
  for (const [i, { method, route, status }] of labelSets(count).entries()) {
    const labels = `method="${method}",route="${route}",status="${status}"`;
    if (isCounters) expectEqual(labels, samples.get(`requests_total{${labels}}`)!, i % 1000);
    else {
      expectEqual(labels, samples.get(`seconds_count{${labels}}`)!, observed.length);
      expectEqual(labels, samples.get(`seconds_bucket{le="0.1",${labels}}`)!, 5);
      expectEqual(labels, samples.get(`seconds_sum{${labels}}`)!, sum(observed) + i / 1000);
    }
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

async function collected(registry: CollectorRegistry): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamMetrics(registry)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function ourCounters(): Subject {
  const registry = new CollectorRegistry();
  const counter = createCounter('requests_total', 'Requests.', { requiredLabels: REQUEST_LABELS, registry });
  fill(COUNTERS, { add: (labels, i) => counter.labels(labels as never).inc(i % 1000) });
  return scraping(() => collected(registry), COUNTERS);
}

function theirCounters({ Counter, Registry }: PromClient): Subject {
  const registry = new Registry();
  const config = { name: 'requests_total', help: 'Requests.', registers: [registry] };
  const counter = new Counter({ ...config, labelNames: REQUEST_LABELS });
  fill(COUNTERS, { add: (labels, i) => counter.labels(labels).inc(i % 1000) });
  return scraping(async () => Buffer.from(await registry.metrics()), COUNTERS);
}

function ourHistograms(): Subject {
  const registry = new CollectorRegistry();
  const seconds = createHistogram('seconds', 'Time.', { requiredLabels: REQUEST_LABELS, registry });
  const add: Fill['add'] = (labels, i) => {
    const child = seconds.labels(labels as never);
    for (const value of observed) child.observe(value === 20 ? 20 + i / 1000 : value);
  };
  fill(HISTOGRAMS, { add });
  return scraping(() => collected(registry), HISTOGRAMS);
}

function theirHistograms({ Histogram, Registry }: PromClient): Subject {
  const registry = new Registry();
  const config = { name: 'seconds', help: 'Time.', registers: [registry] };
  const seconds = new Histogram({ ...config, labelNames: REQUEST_LABELS });
  const add: Fill['add'] = (labels, i) => {
    const child = seconds.labels(labels);
    for (const value of observed) child.observe(value === 20 ? 20 + i / 1000 : value);
  };
  fill(HISTOGRAMS, { add });
  return scraping(async () => Buffer.from(await registry.metrics()), HISTOGRAMS);
}

/**
 * Moving the bytes of such a scrape, line by line and eight at a time, into chunks of 64 KiB that are copied
 * once more: what is left of a scrape when all text is known beforehand.
 */
async function moving(made: Subject): Promise<Subject> {
  await made.check();
  const from = Buffer.from(made.bytes === undefined ? '' : 'x'.repeat(made.bytes));
  return from.length > 0 ? movingBytes(from) : made;
}

function movingBytes(source: Buffer): Subject {
  void source;
  throw new Error('unfinished');
}

export const SCRAPES: readonly Case[] = [];
void [ourCounters, theirCounters, ourHistograms, theirHistograms, moving, ROW_BYTES, generateMetrics];
