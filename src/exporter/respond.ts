/** The response to a request for metrics, for every kind of server. */
import { MetheusError, messageOf, show, warnOnce } from '../errors.js';
import { negotiate } from '../exposition/negotiate.js';
import type { OnCollectorError } from '../model/collector.js';
import { checkOptionNames } from '../model/options.js';
import { checkOnError } from '../registry/collector-registry.js';
import { REGISTRY } from '../registry/default-registry.js';
import { type Collectable, chunksOf } from '../registry/encode.js';
import { acceptsGzip, gzipBytes, gzipChunks } from './compression.js';
import { type JoinedCollection, sharedCollections } from './shared-collection.js';

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
  /** Whether each chunk has been sent when the next is requested, so that it may be overwritten. */
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

/** Maximum milliseconds that a client may take to read one chunk. */
export const MAX_STALL_MS = 30_000;

/**
 * Calls back when a client reads nothing for {@link MAX_STALL_MS}. Its response can then be abandoned, which frees the
 * memory of the collection.
 */
export class StallTimer {
  readonly #drop: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(drop: () => void) {
    this.#drop = drop;
  }

  /** Starts the timer again. Called when a chunk is offered to the client. */
  restart(): void {
    this.stop();
    this.#timer = setTimeout(this.#drop, MAX_STALL_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Answers a request. Never rejects. */
export type Responder = (request: MetricsRequest) => Promise<MetricsResponse>;

const METHODS: readonly unknown[] = ['GET', 'HEAD'];
const TEXT = 'text/plain; charset=utf-8';

/** Keeps browsers from interpreting label values as HTML or as a script. */
const NOSNIFF = { 'X-Content-Type-Options': 'nosniff' };

const encoder = new TextEncoder();

/** Returns the content type and the content of a page. */
export type Page = () => Promise<readonly [type: string, content: string]>;

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

/** Settings of a dedicated server. */
interface ServerSettings {
  /** Further pages, by path. */
  readonly pages: ReadonlyMap<string, Page>;
  /** Reports whether the header `Host` of a request may name this host. */
  readonly isAllowedHost: (host: string | undefined) => boolean;
  readonly access: Access;
}

/**
 * @throws `METHEUS_INVALID_OPTIONS`
 */
export function createResponder(
  options: MetricsHandlerOptions,
  { pages, isAllowedHost, access }: Partial<ServerSettings> = {},
): Responder {
  checkOptions(options);
  const { path } = options;
  const respond = async (request: MetricsRequest): Promise<MetricsResponse> => {
    const { method, url = '/', host } = request;
    if (isAllowedHost?.(host) === false) return complete(403, TEXT, refusalOf(host));
    const { authorization } = request;
    const refusal = await access?.refusalOf({ authorization, method, url });
    if (refusal !== undefined) return complete(refusal.status, TEXT, refusal.text, refusal.headers);
    const requested = pathOf(url);
    const isFound = path === undefined || path === requested;
    const page = isFound ? undefined : pages?.get(requested);
    if (!isFound && page === undefined)
      return complete(404, TEXT, `There is nothing here. Metrics are at ${path}\n`);
    if (!METHODS.includes(method)) {
      return complete(405, TEXT, 'Metrics are read with GET or HEAD.\n', { Allow: METHODS.join(', ') });
    }
    const made = page?.().then(([type, content]) => complete(200, type, content));
    return (made ?? metrics(options, request)).catch((error) => {
      if (!request.signal?.aborted) report(error);
      return complete(500, TEXT, `An error has occurred while serving metrics:\n\n${messageOf(error)}\n`);
    });
  };
  return async (request) => {
    const { headers, ...response } = await respond(request);
    const answer = {
      ...response,
      headers: access === undefined ? headers : { ...headers, ...access.headers },
    };
    return request.method === 'HEAD' ? { ...answer, body: null } : answer;
  };
}

/** Names of the options in {@link MetricsHandlerOptions}. */
export const HANDLER_OPTIONS = ['registry', 'path', 'compress', 'created', 'onError'];

function checkOptions(options: MetricsHandlerOptions): void {
  checkOptionNames('a metrics handler', options, HANDLER_OPTIONS);
  const { registry, path, onError } = options;
  if (onError !== undefined) checkOnError(onError);
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

/** Returns the path of a request without its query. Requests to a proxy have a whole URL. */
function pathOf(url: string): string {
  const path = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(url)?.[1];
  return path || '/';
}

async function metrics(
  { registry = REGISTRY, compress = true, created = false, onError }: MetricsHandlerOptions,
  { method, accept, acceptEncoding, reuse = false, signal }: MetricsRequest,
): Promise<MetricsResponse> {
  const gzip = compress && acceptsGzip(acceptEncoding);
  const { contentType, format, escaping } = negotiate(accept);
  const headers = {
    Vary: compress ? 'Accept, Accept-Encoding' : 'Accept',
    ...(gzip ? { 'Content-Encoding': 'gzip' } : {}),
  };
  const collection = sharedCollections(registry, onError).join(signal);
  // Compression has read a chunk before it requests the next. So buffers can be reused even if the server keeps chunks.
  const options = { format, escaping, created, reuse: gzip || reuse };
  const chunks = chunksOf({ collect: () => collection.families }, options);
  // The first chunks are made before the response begins, so that an early error can still set the status.
  const ready: Uint8Array[] = [];
  try {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      ready.push(next.value);
      if (ready.length === 2) break;
    }
  } catch (error) {
    collection.release();
    throw error;
  }
  if (ready.length < 2) {
    collection.release();
    const [only = new Uint8Array()] = ready;
    return complete(200, contentType, gzip ? await gzipBytes(only) : only, headers);
  }
  const response = { status: 200, headers: { ...NOSNIFF, 'Content-Type': contentType, ...headers } };
  const abandon = async () => {
    await chunks.return();
    collection.release();
  };
  if (method === 'HEAD') {
    await abandon();
    return { ...response, body: null };
  }
  const body = scrapeChunks(ready, chunks, collection);
  return { ...response, body: gzip ? gzipChunks(body) : body, abandon };
}

/** Returns the answer to a request that names another host, and warns once. */
function refusalOf(host: string | undefined): string {
  const refusal = `The host ${show(host)} is not allowed. Allow it with the option allowedHosts.`;
  warnOnce('host not allowed', `A request for metrics was refused. ${refusal}`);
  return `${refusal}\n`;
}

/** Yields the chunks of a scrape. Releases its collection when they end, fail, or are abandoned. */
async function* scrapeChunks(
  ready: Iterable<Uint8Array>,
  rest: AsyncGenerator<Uint8Array, void>,
  collection: JoinedCollection,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* ready;
    yield* rest;
  } catch (error) {
    report(error);
    throw error;
  } finally {
    await rest.return();
    collection.release();
  }
}

/** Warns in this process too, since a scraper reports little more than the status. */
function report(error: unknown): void {
  const kind = (error as { code?: unknown } | null | undefined)?.code;
  warnOnce(`serving metrics: ${kind}`, `Metrics could not be served: ${messageOf(error)}`);
}

function complete(
  status: number,
  type: string,
  content: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): MetricsResponse {
  const body = typeof content === 'string' ? encoder.encode(content) : content;
  return {
    status,
    headers: { ...NOSNIFF, 'Content-Type': type, 'Content-Length': String(body.length), ...headers },
    body,
  };
}
