/**
 * `npm run soak [-- MINUTES]`: does in minutes what servers do in months, and must end where it began. Labels
 * come and go, workers are started and terminated, and everything is scraped. The exit code is 1 when a total
 * is wrong or memory has grown.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { createCounter, createGauge, createHistogram, createSummary, loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { startMetricsServer } from 'metheus/http';
import { TqdmPromProxy } from 'metheus/progress';
import { samplesOf } from './workload/exposition-samples.js';

const ROUND_MS = 20;
const SERIES = 100;
const OF_WORKER = 1000;
const MEGABYTE = 1e6;
/** Growth in bytes that runs without a leak have shown. */
const MAX_GROWTH = { heap: 2 * MEGABYTE, external: 2 * MEGABYTE, resident: 40 * MEGABYTE };

const byWorkers = createCounter('soak_workers_total', 'Counted by workers.');
const proxy = new TqdmPromProxy({ name: 'soak' });

/** Counts, reports it, and lives until it is terminated. */
function work(): void {
  for (let i = 0; i < OF_WORKER; i++) byWorkers.inc();
  const bar = proxy.tqdm(null, { desc: 'Worker', total: 2 * OF_WORKER, disable: true });
  for (let i = 0; i < OF_WORKER; i++) bar.update();
  parentPort!.postMessage('counted');
  parentPort!.on('message', () => {});
}

async function startAndEndWorker(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  await worker.terminate();
}

const requiredLabels = ['tenant'] as const;

/** Returns a function that creates series of new tenants and removes those of old ones. */
function tenants(): () => void {
  const counter = createCounter('soak_total', 'Soak.', { requiredLabels });
  const gauge = createGauge('soak_value', 'Soak.', { requiredLabels });
  const histogram = createHistogram('soak_seconds', 'Soak.', { requiredLabels });
  const summary = createSummary('soak_bytes', 'Soak.', { requiredLabels });
  let next = 1e9;
  return () => {
    for (let i = 0; i < SERIES; i++) {
      const tenant = `tenant-${next++}`;
      counter.labels({ tenant }).inc();
      gauge.labels({ tenant }).set(i);
      histogram.labels({ tenant }).observe(i);
      summary.labels({ tenant }).observe(i);
    }
    const gone = next - 3 * SERIES;
    for (let i = 0; i < SERIES; i++) {
      for (const metric of [counter, gauge, histogram, summary])
        metric.remove({ tenant: `tenant-${gone + i}` });
    }
  };
}

interface ResourceUse {
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
  readonly files: number;
  readonly descriptors: number;
}

function measureUse(folder: string): ResourceUse {
  for (let i = 0; i < 3; i++) global.gc!();
  const { heapUsed: heap, external, rss: resident } = process.memoryUsage();
  const files = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  return { heap, external, resident, files, descriptors: readdirSync('/proc/self/fd').length };
}

function print(second: number, { heap, external, resident, files, descriptors }: ResourceUse): void {
  const MB = (bytes: number) => `${(bytes / MEGABYTE).toFixed(2).padStart(8)} MB`;
  const memory = `heap ${MB(heap)}  external ${MB(external)}  resident ${MB(resident)}`;
  console.log(`${String(second).padStart(4)} s  ${memory}  files ${MB(files)}  descriptors ${descriptors}`);
}

async function soak(seconds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'metheus-soak-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const backend = await loadBackend(MultiProcessFileBackend, { directory: folder });
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0 });
  const round = tenants();
  const start = performance.now();
  const passed = () => (performance.now() - start) / 1000;
  let [rounds, workers, scrapes] = [0, 0, 0];
  let first: ResourceUse | undefined;
  for (let printed = 0; passed() < seconds; ) {
    round();
    rounds += 1;
    if (rounds % 10 === 0) {
      const samples = samplesOf(await (await fetch(server.url)).text());
      if (samples.get('soak_workers_total{}') !== workers * OF_WORKER) throw new Error('a worker was lost');
      scrapes += 1;
    }
    if (rounds % 25 === 0) {
      await startAndEndWorker();
      workers += 1;
    }
    // The first fifth of the time fills caches and free lists.
    if (first === undefined && passed() > seconds / 5) first = measureUse(folder);
    if (passed() >= printed) {
      print(Math.round(passed()), measureUse(folder));
      printed += seconds / 10;
    }
    await sleep(ROUND_MS);
  }
  const last = measureUse(folder);
  print(Math.round(passed()), last);
  console.log(`${rounds * SERIES * 4} series made and removed, ${workers} workers, ${scrapes} scrapes`);
  await server.close();
  await backend.close();
  for (const [what, max] of Object.entries(MAX_GROWTH) as [keyof typeof MAX_GROWTH, number][]) {
    const grown = last[what] - first![what];
    if (grown <= max) continue;
    console.error(`${what} grew by ${(grown / MEGABYTE).toFixed(2)} MB`);
    process.exitCode = 1;
  }
}

if (isMainThread) await soak(Number(process.argv[2] ?? 5) * 60);
else work();
