/** A Prometheus server that scrapes the test. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Exemplar } from 'metheus';
import { freePort, startProcess, until } from './processes.js';
import { numberOf } from './validators.js';

/** A series as the query API returns it. */
export interface StoredSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** An exemplar with the labels of its series. */
export interface StoredExemplar extends Exemplar {
  readonly series: Readonly<Record<string, string>>;
}

/** Metadata of a metric. */
export interface Metadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** The samples of a series in a range. */
export interface SampleSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: number])[];
}

interface PrometheusQueries {
  /** Returns the latest value of every series that the selector matches. */
  query(selector: string): Promise<StoredSeries[]>;
  /** Returns the exemplars of the last hour of the series that the selector matches. */
  exemplars(selector: string): Promise<StoredExemplar[]>;
  /** Returns the samples that a range selector matches. */
  samples(selector: string): Promise<SampleSeries[]>;
  stop(): Promise<void>;
}

export interface PrometheusServer extends PrometheusQueries {
  /** Returns the stored type and help of a metric, if there are any. */
  metadata(name: string): Promise<Metadata | undefined>;
  /** Returns the error of the last scrape: empty after a success, undefined before the first scrape. */
  lastError(): Promise<string | undefined>;
}

/** A Prometheus server that scrapes nothing, and accepts remote write. */
export interface PrometheusReceiver extends PrometheusQueries {
  readonly writeUrl: string;
}

interface Targets {
  readonly activeTargets: readonly { readonly health: string; readonly lastError: string }[];
}
interface ExemplarsOfSeries {
  readonly seriesLabels: Readonly<Record<string, string>>;
  readonly exemplars: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: string;
    readonly timestamp: number;
  }[];
}
interface Matrix {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [number, string])[];
  }[];
}
interface Vector {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
  }[];
}

/**
 * @param target - `host:port`, whose `/metrics` is scraped twice a second as the job `metheus`
 * @param features - names for `--enable-feature`; `native-histograms` makes the server prefer protobuf
 * @param more - further settings of the job
 */
export async function startPrometheus(
  target: string,
  features: readonly string[] = [],
  more: readonly string[] = [],
): Promise<PrometheusServer> {
  const job = ['job_name: metheus', `static_configs: [{ targets: ["${target}"] }]`, ...more];
  const scrape = `scrape_configs: [{ ${job.join(', ')} }]`;
  const { ask, ...queries } = await launch([scrape], features);
  const server: PrometheusServer = {
    ...queries,
    async metadata(name) {
      const found = await ask<Record<string, Metadata[]>>(`/api/v1/metadata?metric=${name}`);
      return found?.[name]?.[0];
    },
    async lastError() {
      const [found] = (await ask<Targets>('/api/v1/targets?state=active'))?.activeTargets ?? [];
      return found === undefined || found.health === 'unknown' ? undefined : found.lastError;
    },
  };
  try {
    await until('the first scrape', server.lastError);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** Starts a server that accepts remote write, native histograms too. */
export async function startReceiver(): Promise<PrometheusReceiver> {
  const { ask, url, ...queries } = await launch(
    [],
    ['native-histograms'],
    ['--web.enable-remote-write-receiver'],
  );
  try {
    await until('Prometheus', () => ask('/api/v1/status/buildinfo'));
  } catch (error) {
    await queries.stop();
    throw error;
  }
  return { ...queries, writeUrl: `${url}/api/v1/write` };
}

async function launch(config: readonly string[], features: readonly string[], flags: readonly string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'metheus-prometheus-'));
  const port = await freePort();
  const global = 'global: { scrape_interval: 500ms, scrape_timeout: 500ms }';
  await writeFile(join(folder, 'prometheus.yml'), [global, ...config].join('\n'));
  const { child, output, stop } = startProcess('prometheus', [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
    `--enable-feature=${['exemplar-storage', ...features].join()}`,
    ...flags,
  ]);
  const url = `http://127.0.0.1:${port}`;
  const ask = async <T>(path: string): Promise<T | undefined> => {
    if (child.exitCode !== null) throw new Error(`Prometheus has ended:\n${output()}`);
    const response = await fetch(url + path).catch(() => undefined);
    if (!response?.ok) return undefined;
    return ((await response.json()) as { data: T }).data;
  };
  const queries: PrometheusQueries = {
    async query(selector) {
      const found = await ask<Vector>(`/api/v1/query?query=${encodeURIComponent(selector)}`);
      return (found?.result ?? []).map(({ metric, value }) => ({
        labels: metric,
        value: numberOf(value[1]),
      }));
    },
    async exemplars(selector) {
      const now = Date.now() / 1000;
      const range = `start=${now - 3600}&end=${now + 60}`;
      const found = await ask<ExemplarsOfSeries[]>(
        `/api/v1/query_exemplars?query=${encodeURIComponent(selector)}&${range}`,
      );
      return (found ?? []).flatMap(({ seriesLabels, exemplars }) =>
        exemplars.map(({ labels, value, timestamp }) => ({
          series: seriesLabels,
          labels,
          value: numberOf(value),
          timestamp,
        })),
      );
    },
    async samples(selector) {
      const found = await ask<Matrix>(`/api/v1/query?query=${encodeURIComponent(selector)}`);
      return (found?.result ?? []).map(({ metric, values }) => ({
        labels: metric,
        values: values.map(([seconds, value]) => [seconds, numberOf(value)] as const),
      }));
    },
    async stop() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return { ...queries, ask, url };
}
