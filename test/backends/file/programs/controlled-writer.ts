/** A program that executes commands of a test and answers each. */
import { closeSync, openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import {
  createCounter,
  createGauge,
  createHistogram,
  type GaugeMode,
  generateMetrics,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import { type FileBackendConfig, MultiProcessFileBackend } from 'metheus/backends/file';
import { TqdmPromProxy } from 'metheus/progress';
import { activeBackend } from '#metheus/backends/active-backend.js';

export type Order =
  | { readonly do: 'load'; readonly config: FileBackendConfig }
  | { readonly do: 'take descriptors' | 'give descriptors back' }
  | { readonly do: 'leave' | 'scrape' | 'compact' | 'flush' | 'exit' | 'warnings' | 'koffi' }
  | { readonly do: 'inc'; readonly name: string; readonly by?: number; readonly series?: number }
  | { readonly do: 'remove'; readonly name: string; readonly series: number }
  | {
      readonly do: 'gauge';
      readonly name: string;
      readonly mode: GaugeMode;
      readonly calls: GaugeCalls;
      /** Whether to wait longer than the accuracy of the time of a `set`. */
      readonly pause?: boolean;
    }
  | { readonly do: 'observe'; readonly name: string; readonly buckets: number[]; readonly value: number }
  | { readonly do: 'bar'; readonly desc: string; readonly total: number; readonly n: number }
  | { readonly do: 'threads'; readonly module: string; readonly count: number; readonly data?: unknown };

/** Calls of a gauge in order: `['set', 3]`. */
export type GaugeCalls = readonly (readonly ['set' | 'inc', number])[];

/** Descriptors that the program holds, so that there are none for others. */
const taken: number[] = [];
const warnings: string[] = [];
process.on('warning', ({ name, message }) => {
  if (name === 'MetheusWarning') warnings.push(message);
});

const proxy = new TqdmPromProxy({ name: 'shared' });

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'load':
      await loadBackend(MultiProcessFileBackend, order.config);
      return 'done';
    case 'leave':
      await loadBackend(SingleProcessBackend);
      return 'done';
    case 'scrape':
      return generateMetrics();
    case 'compact':
      await (activeBackend().backend as MultiProcessFileBackend).compact();
      return 'done';
    case 'flush':
      await activeBackend().flush();
      return 'done';
    case 'exit':
      setImmediate(() => process.exit(0));
      return 'done';
    case 'warnings':
      await new Promise(setImmediate);
      return warnings;
    case 'koffi':
      return isKoffiLoaded();
    case 'take descriptors':
      try {
        for (;;) taken.push(openSync('/dev/null', 'r'));
      } catch {
        return taken.length;
      }
    case 'give descriptors back':
      for (const descriptor of taken.splice(0)) closeSync(descriptor);
      return 'done';
    case 'inc':
      if (order.series === undefined) createCounter(order.name, 'Counts.').inc(order.by);
      else
        for (let i = 0; i < order.series; i++)
          labelled(order.name)
            .labels({ i: String(i) })
            .inc(order.by);
      return 'done';
    case 'remove':
      labelled(order.name).remove({ i: String(order.series) });
      return 'done';
    case 'gauge': {
      const gauge = createGauge(order.name, 'A gauge.', { multiprocessMode: order.mode });
      if (order.pause) await new Promise((resolve) => setTimeout(resolve, 60));
      for (const [method, value] of order.calls) gauge[method](value);
      return process.pid;
    }
    case 'observe':
      createHistogram(order.name, 'A histogram.', { buckets: order.buckets }).observe(order.value);
      return 'done';
    case 'bar':
      proxy.tqdm(null, { desc: order.desc, total: order.total, disable: true }).update(order.n);
      return 'done';
    case 'threads':
      return Promise.all(
        Array.from({ length: order.count }, () => {
          const worker = new Worker(new URL(order.module), { workerData: order.data });
          return new Promise((resolve) => worker.once('message', resolve));
        }),
      );
  }
}

const labelled = (name: string) => createCounter(name, 'Counts.', { requiredLabels: ['i'] });

async function isKoffiLoaded(): Promise<boolean> {
  const { createRequire } = await import('node:module');
  return Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('koffi'));
}

process.on('message', async (order: Order) => {
  let answer: unknown;
  try {
    answer = await obey(order);
  } catch (error) {
    answer = { error: String((error as Error).stack) };
  }
  process.send!(answer);
});
// The parent has ended.
process.on('disconnect', () => process.exit(1));
process.send!('ready');
