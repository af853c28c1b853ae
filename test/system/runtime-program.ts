/** A program for any runtime: counts, loops and serves, and prints what can be scraped, as JSON. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { createCounter, createHistogram, generateMetrics } from 'metheus';
import { createFetchHandler, startMetricsServer } from 'metheus/http';
import { TqdmPromProxy } from 'metheus/progress';

const proxy = new TqdmPromProxy({ httpHost: '127.0.0.1', httpPort: 0 });
const jobs = createCounter('jobs_total', 'Jobs.', { requiredLabels: ['thread'] });

interface Server {
  readonly port?: number;
  readonly addr?: { readonly port: number };
  stop?(): Promise<void>;
  shutdown?(): Promise<void>;
}

type Serve = (options: object) => Server;

/** The servers of Deno and Bun, which call fetch handlers. */
const { Deno: deno, Bun: bun } = globalThis as { Deno?: { serve: Serve }; Bun?: { serve: Serve } };

/** Returns the samples of a text that start with a name. */
const samples = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name));

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** Serves a fetch handler on the server of the runtime, and scrapes it; undefined where there is no such server. */
async function scrapeOwnServer(): Promise<readonly string[] | undefined> {
  const serve = deno?.serve ?? bun?.serve;
  if (serve === undefined) return undefined;
  const fetch = createFetchHandler();
  const server = serve({ port: 0, hostname: '127.0.0.1', onListen() {}, handler: fetch, fetch });
  const text = await textOf(`http://127.0.0.1:${server.addr?.port ?? server.port}/metrics`);
  await (server.shutdown?.() ?? server.stop?.());
  return samples(text, 'jobs_total');
}

async function work(): Promise<void> {
  jobs.labels({ thread: 'main' }).inc(2);
  createHistogram('seconds', 'Seconds.', { buckets: [1] }).observe(0.5);
  for (const _ of proxy.tqdm(1000, { desc: 'Loop' }));
  const worker = new Worker(new URL(import.meta.url));
  await new Promise((resolve) => worker.once('message', resolve));
  const own = await scrapeOwnServer();
  const server = await startMetricsServer({ port: 0, host: '127.0.0.1' });
  const running = await textOf(server.url);
  await server.close();
  await worker.terminate();
  // Where messages wait for the event loop, the end of a thread is known a moment later.
  let ended = '';
  await proxy.start();
  while (!ended.includes('progress_failed_bars_total{bucket="Worker"} 1')) ended = await textOf(proxy.url!);
  await proxy.stop();
  console.log(
    JSON.stringify({
      own,
      running: samples(running, 'jobs_total'),
      histogram: samples(running, 'seconds'),
      jobs: samples(await generateMetrics(), 'jobs_total'),
      bars: samples(ended, 'progress_completed_total'),
      active: samples(ended, 'progress_active_bars'),
    }),
  );
}

if (isMainThread) await work();
else {
  jobs.labels({ thread: 'worker' }).inc(3);
  proxy.tqdm(null, { desc: 'Worker', total: 10 }).update(4);
  parentPort!.postMessage('counted');
  // Keeps the thread alive until it is terminated.
  setInterval(() => {}, 1000);
}
