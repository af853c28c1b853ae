/** Options of handlers, and the requests and responses of every kind of server. */
import type { OnCollectorError } from '../model/collector.js';
import { checkOptionNames, invalidValue } from '../model/options.js';
import { type CollectorRegistry, checkOnError } from '../registry/collector-registry.js';
import type { DefaultRegistry } from '../registry/default-registry.js';
import type { Collectable } from '../registry/encode.js';

/** A registry in which metrics can be registered. */
export type Registry = CollectorRegistry | DefaultRegistry;

/** Options of {@link createMetricsHandler} and {@link createFetchHandler}. */
export interface MetricsHandlerOptions {
  /** The registry whose metrics are served. @defaultValue the default registry */
  readonly registry?: Collectable;
  /**
   * The only path that serves metrics; others are answered with 404. If left out, every path serves them, for handlers
   * that a framework mounts at a path.
   */
  readonly path?: string;
  /**
   * Whether to compress with gzip where the client accepts it. Turn it off where a proxy in front of this server
   * compresses. @defaultValue `true`
   */
  readonly compress?: boolean;
  /**
   * Whether to write in OpenMetrics at what time each series began to count (`_created`), where it is known. Prometheus
   * stores one more series for each. @defaultValue `false`
   */
  readonly created?: boolean;
  /**
   * The effect of a failed collector on a scrape: `'partial'` serves the rest, `'fail'` answers with status 500.
   *
   * @defaultValue the option of the registry
   */
  readonly onError?: OnCollectorError;
  /**
   * Whether the handler counts its requests, in metrics with the names of Go's handler, and measures them:
   * `promhttp_metric_handler_…`, `metheus_scrape_duration_seconds`, `metheus_scrape_size_bytes`. They are registered in
   * the served registry. @defaultValue `false`
   */
  readonly handlerMetrics?: boolean;
}

/** The fields of a request that a response depends on. */
export interface MetricsRequest {
  readonly method: string | undefined;
  /** A path with or without a query, or a whole URL. */
  readonly url: string | undefined;
  readonly accept: string | null | undefined;
  readonly acceptEncoding: string | null | undefined;
  /** The header `Host`. */
  readonly host?: string | undefined;
  readonly authorization?: string | undefined;
  /** The header `X-Prometheus-Scrape-Timeout-Seconds`. */
  readonly scrapeTimeout?: string | undefined;
  /** Whether each chunk has been sent before the next is requested, so that its buffer may be reused. */
  readonly reuse?: boolean;
  /** Aborted when the client has disconnected. */
  readonly signal?: AbortSignal;
}

export interface MetricsResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * `null` for `HEAD`. A small body is an array of bytes, a large one a source of chunks, which are made as they are
   * read. If the chunks end with an error, the server must break the connection, since the status has been sent
   * already.
   */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Frees the resources of chunks that are not read at all. */
  readonly abandon?: () => Promise<void>;
}

/** An answer in place of the requested one. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Access to a server. */
export interface Access {
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Returns the answer to a request that may not be answered otherwise. Never rejects. */
  refusalOf(request: Pick<MetricsRequest, 'authorization' | 'method' | 'url'>): Promise<Refusal | undefined>;
}

/** Names of the options in {@link MetricsHandlerOptions}. */
export const HANDLER_OPTIONS = ['registry', 'path', 'compress', 'created', 'onError', 'handlerMetrics'];

/** @throws `METHEUS_INVALID_OPTIONS` */
export function checkOptions(options: MetricsHandlerOptions): void {
  checkOptionNames('a metrics handler', options, HANDLER_OPTIONS);
  const { registry, path, onError, handlerMetrics = false } = options;
  if (onError !== undefined) checkOnError(onError);
  if (path !== undefined && (typeof path !== 'string' || !/^\/[^?#\s]*$/.test(path))) {
    throw invalidValue('path', path, "a path that starts with '/', such as '/metrics'");
  }
  if (registry !== undefined && typeof (registry as Collectable | null)?.collect !== 'function') {
    throw invalidValue('registry', registry, 'a registry, or an object with a collect() method');
  }
  if (typeof handlerMetrics !== 'boolean')
    throw invalidValue('handlerMetrics', handlerMetrics, 'true or false');
  if (
    handlerMetrics &&
    registry !== undefined &&
    typeof (registry as Partial<Registry>).register !== 'function'
  ) {
    throw invalidValue('handlerMetrics', true, 'a registry in which metrics can be registered');
  }
}
