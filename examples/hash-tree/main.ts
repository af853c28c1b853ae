/**
 * Hashes a directory tree in worker threads, with bars on the terminal and metrics for Prometheus.
 *
 * Each thread counts files, bytes, durations and errors, and has a bar; the main thread draws all bars, serves all
 * metrics and prints the summary.
 */
import { stat } from 'node:fs/promises';
import { TqdmPromProxy, tqdm } from 'metheus/progress';
import { writeDigests } from './digests.js';
import { errorKind, errors, IN_BYTES, PROXY } from './metrics.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { hashAll } from './pool.js';
import { Summary } from './summary.js';
import { type FoundFile, walk } from './walk.js';
import type { Report } from './worker.js';

const THREADS = 4;

const print = (text: string) => tqdm.write(text);

async function run(options: Options): Promise<void> {
  await checkDirectory(options.directory);
  const proxy = new TqdmPromProxy({
    httpHost: '[::1]',
    httpPort: options.port,
    keepAlive: options.serve,
    name: PROXY,
  });
  await proxy.start();
  if (proxy.url !== undefined) print(`Metrics: ${proxy.url}`);
  try {
    await hashTree(proxy, options);
  } finally {
    await proxy.stop();
  }
}

async function checkDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`Cannot read the directory ${path}: ${error.message}`);
  });
  if (!found.isDirectory()) throw new Error(`${path} is not a directory.`);
}

async function hashTree(proxy: TqdmPromProxy, { directory, output, serve }: Options): Promise<void> {
  const summary = new Summary();
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);

  const fail = (path: Uint8Array, reason: string) => {
    summary.addError();
    print(`Cannot read ${Buffer.from(path)}: ${reason}`);
  };
  const found: FoundFile[] = [];
  const files = walk(Buffer.from(directory), (path, error) => {
    errors.labels({ kind: errorKind(error) }).inc();
    fail(path, String(error));
  });
  for await (const file of proxy.tqdm(files, { desc: 'Scan', unit: 'file', leave: false })) {
    found.push(file);
    if (stop.signal.aborted) break;
  }

  const total = found.reduce((sum, { size }) => sum + size, 0);
  const all = proxy.tqdm({ desc: 'All files', total, ...IN_BYTES });
  const onReport = (_thread: number, { read, done }: Report) => {
    all.update(read);
    if (done?.error !== undefined) fail(done.path, done.error);
    else if (done !== undefined) summary.addFile(done.path, done.digest!, done.seconds);
  };
  summary.start();
  try {
    // The bar of all files ends first, so that its last frame stays above those of the threads.
    await hashAll(found, THREADS, onReport, stop.signal, () => all.close());
  } finally {
    all.close();
  }

  summary.print(all.n, stop.signal.aborted);
  if (output !== undefined && !stop.signal.aborted) await writeDigests(output, summary.digests);
  if (stop.signal.aborted) process.exitCode = 130;
  else if (serve && proxy.url !== undefined) await untilInterrupted(proxy.url);
}

/** Serves until Ctrl-C, so that there is time to look at the metrics. */
function untilInterrupted(url: string): Promise<void> {
  console.log(`Serving at ${url} until Ctrl-C.`);
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

try {
  const options = parseOptions(process.argv.slice(2), process.stdout.isTTY === true);
  if (options.help) console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
