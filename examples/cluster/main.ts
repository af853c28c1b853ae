/**
 * A cluster whose workers serve HTTP and count in files, and whose primary serves the metrics of them all.
 *
 * It creates load on the loopback interface, kills a worker half-way, and ends by itself. The totals contain every
 * response, including those of the killed worker.
 */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { startMetricsServer } from 'metheus/http';
import { makeLoad } from './load.js';
import { serve } from './service.js';

const WORKERS = 3;
const REQUESTS = 600;

/** Starts a worker, and returns it with its port once it listens. */
async function startWorker(directory: string): Promise<{ worker: Worker; port: number }> {
  const worker = cluster.fork({ METRICS_DIRECTORY: directory });
  const [address] = (await once(worker, 'listening')) as [{ port: number }];
  return { worker, port: address.port };
}

async function runPrimary(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'metheus-cluster-'));
  // The same line as in the workers; the primary could count too.
  await loadBackend(MultiProcessFileBackend, { directory });
  const metrics = await startMetricsServer({ host: '127.0.0.1', port: 0 });
  console.log(`Metrics: ${metrics.url}`);

  const workers = await Promise.all(Array.from({ length: WORKERS }, () => startWorker(directory)));
  const { port } = workers[0]!;
  const before = await makeLoad(port, REQUESTS / 2);
  const [killed] = workers;
  killed!.worker.process.kill('SIGKILL');
  await once(killed!.worker, 'exit');
  await startWorker(directory);
  const after = await makeLoad(port, REQUESTS / 2);

  const text = await (await fetch(metrics.url)).text();
  const served = text.split('\n').filter((line) => /^http_requests_total\{|_count\{/.test(line));
  console.log(served.sort().join('\n'));
  console.log(`Clients got ${before + after} answers.`);

  for (const worker of Object.values(cluster.workers ?? {})) worker?.disconnect();
  await metrics.close();
  await rm(directory, { recursive: true });
}

async function runWorker(): Promise<void> {
  await loadBackend(MultiProcessFileBackend, { directory: process.env.METRICS_DIRECTORY! });
  serve();
}

await (cluster.isPrimary ? runPrimary() : runWorker());
