/** What every kind of handler can be told. */
import { MetheusError, show } from '../errors.js';
import type { Collectable } from '../registry/generate.js';

/** Options of {@link createMetricsHandler} and {@link createFetchHandler}. */
export interface MetricsHandlerOptions {
  /** Whose metrics are served. @defaultValue the default registry */
  readonly registry?: Collectable;
  /**
   * The only path that has metrics; others are answered with 404. Left out: every path has them, for whoever
   * mounts the handler has chosen one already.
   */
  readonly path?: string;
  /**
   * Whether to compress with gzip where the client asks for it. Turn it off where something in front of this
   * server compresses. @defaultValue `true`
   */
  readonly compress?: boolean;
  /**
   * Whether clients that read OpenMetrics are told when each series began to count (`_created`), where that is
   * known. Prometheus stores it as a series more for each. @defaultValue `false`
   */
  readonly created?: boolean;
}

/** @throws `METHEUS_INVALID_OPTIONS` */
export function checkOptions({ registry, path }: MetricsHandlerOptions): void {
  if (path !== undefined && (typeof path !== 'string' || !/^\/[^?#\s]*$/.test(path))) {
    throw invalidOption('path', path, "a path that starts with '/', such as '/metrics'");
  }
  if (registry !== undefined && typeof (registry as Collectable | null)?.collect !== 'function') {
    throw invalidOption('registry', registry, 'a registry, or an object with a collect() method');
  }
}

export function invalidOption(option: string, given: unknown, expected: string): MetheusError {
  return new MetheusError('METHEUS_INVALID_OPTIONS', { given: `${option}: ${show(given)}`, expected });
}
