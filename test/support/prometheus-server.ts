/** A real Prometheus that scrapes us. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startProcess, until } from './processes.js';
import { numberOf } from './validators.js';

/** A series as the query API gives it. */
export interface StoredSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PrometheusServer {
  /** The newest value of every series that the selector selects. */
  query(selector: string): Promise<StoredSeries[]>;
  /** How the last scrape of the target went: empty when well, undefined before the first. */
  lastError(): Promise<string | undefined>;
  stop(): Promise<void>;
}

interface Targets {
  readonly activeTargets: readonly { readonly health: string; readonly lastError: string }[];
}
interface Vector {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
  }[];
}

/**
 * @param target - `host:port` to scrape at `/metrics`, twice a second, as the job `metheus`
 * @param features - names for `--enable-feature`; with `native-histograms` it asks for protobuf first
 */
export async function startPrometheus(
  target: string,
  features: readonly string[] = [],
): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'metheus-prometheus-'));
  const port = await freePort();
  const config = [
    'global: { scrape_interval: 500ms, scrape_timeout: 500ms }',
    `scrape_configs: [{ job_name: metheus, static_configs: [{ targets: ["${target}"] }] }]`,
  ];
  await writeFile(join(folder, 'prometheus.yml'), config.join('\n'));
  const { child, output, stop } = startProcess('prometheus', [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
    ...(features.length > 0 ? [`--enable-feature=${features.join()}`] : []),
  ]);
  const ask = async <T>(path: string): Promise<T | undefined> => {
    if (child.exitCode !== null) throw new Error(`Prometheus has ended:\n${output()}`);
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    if (!response?.ok) return undefined;
    return ((await response.json()) as { data: T }).data;
  };
  const server: PrometheusServer = {
    async query(selector) {
      const found = await ask<Vector>(`/api/v1/query?query=${encodeURIComponent(selector)}`);
      return (found?.result ?? []).map(({ metric, value }) => ({
        labels: metric,
        value: numberOf(value[1]),
      }));
    },
    async lastError() {
      const [found] = (await ask<Targets>('/api/v1/targets?state=active'))?.activeTargets ?? [];
      return found === undefined || found.health === 'unknown' ? undefined : found.lastError;
    },
    async stop() {
      await stop();
      await rm(folder, { recursive: true, force: true });
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
