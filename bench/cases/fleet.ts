/**
 * The load of the processes of a fleet, ours and theirs: the same names, labels and numbers in each process.
 */
import { createCounter, createHistogram, DEFAULT_BUCKETS, streamMetrics } from 'metheus';
import { expectEqual, type Size, type Subject } from '../case.js';
import type { PromClient, PromRegistry } from '../peers.js';
import { samplesOf } from '../workload/exposition-samples.js';
import { labelSets, REQUEST_LABELS, type RequestLabels } from '../workload/label-sets.js';

/** Number of series in each process. */
export interface Load {
  readonly counters: number;
  readonly histograms: number;
}

/** Environment variable with the load of a process of the fleet, as JSON. */
export const LOAD = 'METHEUS_BENCH_LOAD';

const OBSERVED = [...DEFAULT_BUCKETS, 20];
const OBSERVED_SUM = OBSERVED.reduce((sum, value) => sum + value);
const LINES = { counter: 1, histogram: DEFAULT_BUCKETS.length + 3 };

interface Made {
  readonly counter: { labels(given: RequestLabels): { inc(by: number): void } };
  readonly histogram: { labels(given: RequestLabels): { observe(value: number): void } };
}

export function countOurs(load: Load): void {
  const options = { requiredLabels: REQUEST_LABELS };
  const counter = createCounter('requests_total', 'Requests.', options);
  count({ counter, histogram: createHistogram('seconds', 'Time.', options) }, load);
}

/** A client as a cluster uses it. Constructing an `AggregatorRegistry` makes a worker answer its primary. */
export interface ClusterClient extends PromClient {
  readonly AggregatorRegistry: new () => { clusterMetrics(): Promise<string> };
  /** The registry that a primary aggregates by default. */
  readonly register: PromRegistry;
}

export function countTheirs({ Counter, Histogram, register }: ClusterClient, load: Load): void {
  const config = { help: 'Work.', labelNames: REQUEST_LABELS, registers: [register] };
  const counter = new Counter({ name: 'requests_total', ...config });
  count({ counter, histogram: new Histogram({ name: 'seconds', ...config }) }, load);
}

function count({ counter, histogram }: Made, { counters, histograms }: Load): void {
  for (const [i, labels] of labelSets(counters).entries()) counter.labels(labels).inc(1 + (i % 1000));
  for (const labels of labelSets(histograms)) {
    const child = histogram.labels(labels);
    for (const value of OBSERVED) child.observe(value);
  }
}

/**
 * @throws Error unless the text contains the sums of this number of processes, and nothing else but
 * self-metrics of our backend
 */
export function checkFleet(text: string, { counters, histograms }: Load, processes: number): void {
  const samples = samplesOf(text);
  const ofBackend = [...samples.keys()].filter((series) => series.startsWith('metheus_backend_')).length;
  const lines = counters * LINES.counter + histograms * LINES.histogram;
  expectEqual('lines', samples.size - ofBackend, lines);
  for (const [i, labels] of labelSets(counters).entries()) {
    const series = `requests_total{${labelText(labels)}}`;
    expectEqual(series, samples.get(series) ?? Number.NaN, processes * (1 + (i % 1000)));
  }
  for (const labels of labelSets(histograms)) {
    const shown = labelText(labels);
    expectEqual(shown, samples.get(`seconds_count{${shown}}`) ?? Number.NaN, processes * OBSERVED.length);
    expectEqual(shown, samples.get(`seconds_bucket{le="0.1",${shown}}`) ?? Number.NaN, processes * 5);
    expectEqual(shown, samples.get(`seconds_sum{${shown}}`) ?? Number.NaN, processes * OBSERVED_SUM);
  }
}

function labelText({ method, route, status }: RequestLabels): string {
  return `method="${method}",route="${route}",status="${status}"`;
}

/** A scrape takes a few milliseconds, so a run repeats it for this time. */
const RUN_MS = 100;
const QUICK_RUN_MS = 30;

export function scraping(
  scrape: () => Promise<Uint8Array>,
  check: (text: string) => void,
  { quick }: Size,
): Subject {
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    async check() {
      const scraped = await scrape();
      bytes = scraped.length;
      check(Buffer.from(scraped).toString());
    },
    async run() {
      const start = performance.now();
      let scrapes = 0;
      let passed = 0;
      do {
        await scrape();
        scrapes += 1;
        passed = performance.now() - start;
      } while (passed < (quick ? QUICK_RUN_MS : RUN_MS));
      return passed / scrapes;
    },
  };
}

/** Scrapes everything that the current backend serves. */
export async function scrapeOurs(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamMetrics()) chunks.push(chunk);
  return Buffer.concat(chunks);
}
