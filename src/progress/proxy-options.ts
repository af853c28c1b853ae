/** The options of a proxy. */
import { MetheusError, show } from '../errors.js';
import type { AccessOptions } from '../exporter/web-access.js';
import { checkOptionNames } from '../model/options.js';
import type { CollectorRegistry } from '../registry/collector-registry.js';
import type { DefaultRegistry } from '../registry/default-registry.js';
import type { BarSnapshot } from './bar/environment.js';
import { BAR_PROPERTIES, type MetricNaming } from './publish/bucket-metrics.js';

/**
 * Returns the name of the bucket that a bar is counted in. Bars of one bucket add up. Called when the bar starts, and
 * again at a frame if the description, the total or the postfix has changed. If the result is another name, the bar
 * counts in that bucket from then on.
 */
export type BucketFunc = (bar: BarSnapshot) => string;

export interface TqdmPromProxyOptions extends MetricNaming, AccessOptions {
  /** The address to listen on; an IPv6 address may be in brackets, as in a URL. @defaultValue `'::1'` */
  readonly httpHost?: string;
  /** The port to listen on; 0 for any free one. @defaultValue 3000 */
  readonly httpPort?: number;
  /**
   * Whether `start` rejects when the address or port is not available. By default, the proxy takes the next free port
   * instead, or the loopback address if the address is not available, and a warning names the new address.
   *
   * @defaultValue `false`
   */
  readonly required?: boolean;
  /** Whether the process keeps running for the proxy alone. @defaultValue `false` */
  readonly keepAlive?: boolean;
  /** Names by which clients reach the proxy: see {@link MetricsServerOptions.allowedHosts}. */
  readonly allowedHosts?: readonly string[];
  /** Groups bars into buckets. @defaultValue by description; bars without one are in the bucket `default` */
  readonly bucketFunc?: BucketFunc;
  /** The registry whose metrics are served together with the bars. @defaultValue the default registry */
  readonly registry?: CollectorRegistry | DefaultRegistry;
  /**
   * Name of the proxy. Proxies of the same name, in one or several threads, processes or machines, publish their bars
   * together. If a program has several proxies, give each its own name.
   *
   * @defaultValue `'progress'`; `'progress-2'` for the second proxy without a name in a thread, and so on
   */
  readonly name?: string;
}

const OPTIONS = [
  'httpHost',
  'httpPort',
  'required',
  'keepAlive',
  'allowedHosts',
  'metricFunc',
  'names',
  'properties',
  'bucketFunc',
  'registry',
  'name',
  'auth',
  'requireAuth',
  'webConfig',
];

/** @throws `METHEUS_INVALID_OPTIONS`, `METHEUS_INVALID_CALLBACK` */
export function checkOptions(options: TqdmPromProxyOptions): void {
  checkOptionNames('a TqdmPromProxy', options, OPTIONS);
  for (const option of ['metricFunc', 'bucketFunc'] as const) {
    const given: unknown = options[option];
    if (given === undefined || typeof given === 'function') continue;
    throw new MetheusError('METHEUS_INVALID_CALLBACK', {
      given: `${option}: ${show(given)}`,
      expected: 'a function that returns a name',
    });
  }
  checkNaming(options);
  const registry: { readonly collect?: unknown } | null | undefined = options.registry;
  if (registry !== undefined && typeof registry?.collect !== 'function') {
    throw invalid('registry', registry, 'a registry');
  }
}

function checkNaming({ metricFunc, names, properties }: TqdmPromProxyOptions): void {
  if (names !== undefined && (names as unknown) !== 'python') throw invalid('names', names, "'python'");
  if (names !== undefined && metricFunc !== undefined) {
    throw invalid('names', names, 'either names or metricFunc');
  }
  const isList = Array.isArray(properties) && properties.every((one) => BAR_PROPERTIES.includes(one));
  if (properties === undefined || isList) return;
  throw invalid('properties', properties, `a list of ${BAR_PROPERTIES.join(', ')}`);
}

function invalid(option: string, given: unknown, expected: string): MetheusError {
  return new MetheusError('METHEUS_INVALID_OPTIONS', { given: `${option}: ${show(given)}`, expected });
}
