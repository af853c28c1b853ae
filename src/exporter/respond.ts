/** The response to a request for metrics, for every kind of server. */
import { messageOf, show, warnOnce } from '../errors.js';
import { negotiate } from '../exposition/negotiate.js';
import type { FamilySnapshot } from '../model/family.js';
import { METRIC_TYPES, withoutEnding } from '../model/metric-types.js';
import { REGISTRY } from '../registry/default-registry.js';
import { chunksOf } from '../registry/encode.js';
import { acceptsGzip, gzipBytes, gzipChunks } from './compression.js';
import type { HandlerMetrics } from './handler-metrics.js';
import {
  type Access,
  checkOptions,
  type MetricsHandlerOptions,
  type MetricsRequest,
  type MetricsResponse,
  type Registry,
} from './response.js';
import { type JoinedCollection, sharedCollections } from './shared-collection.js';

/** Answers a request. Never rejects. */
export type Responder = (request: MetricsRequest) => Promise<MetricsResponse>;

const METHODS: readonly unknown[] = ['GET', 'HEAD'];
/** Content type of short messages. */
const TEXT = 'text/plain; charset=utf-8';

/** Keeps browsers from interpreting label values as HTML or as a script. */
const NOSNIFF = { 'X-Content-Type-Options': 'nosniff' };

const encoder = new TextEncoder();
/** Maximum names in one request, as in Go's handler. */
const MAX_NAMES = 1024;
/** Seconds between the end of the collectors and the time at which Prometheus gives up, for encoding and sending. */
const TIMEOUT_MARGIN = 0.5;

/** Returns the content type, the content and the status of a page; without one, 200. */
export type Page = () => Promise<readonly [type: string, content: string, status?: number]>;

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
  const { path, registry = REGISTRY } = options;
  let metrics: Promise<HandlerMetrics> | undefined;
  const serve = async (request: MetricsRequest): Promise<MetricsResponse> => {
    if (options.handlerMetrics !== true) return scrape(options, request);
    metrics ??= import('./handler-metrics.js').then(
      (module) => new module.HandlerMetrics(registry as Registry),
    );
    return (await metrics).observe(() => answerErrors(scrape(options, request), request));
  };
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
    const made = page?.().then(([type, content, status = 200]) => complete(status, type, content));
    return answerErrors(made ?? serve(request), request);
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

/** Returns a response, or the one with status 500 that an error causes. Never rejects. */
function answerErrors(made: Promise<MetricsResponse>, request: MetricsRequest): Promise<MetricsResponse> {
  return made.catch((error) => {
    if (!request.signal?.aborted) report(error);
    return complete(500, TEXT, `An error has occurred while serving metrics:\n\n${messageOf(error)}\n`);
  });
}

/** Returns the path of a request without its query. Requests to a proxy have a whole URL. */
function pathOf(url: string): string {
  const path = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(url)?.[1];
  return path || '/';
}

/** Returns the answer to a request that names another host, and warns once. */
function refusalOf(host: string | undefined): string {
  const refusal = `The host ${show(host)} is not allowed. Allow it with the option allowedHosts.`;
  warnOnce('host not allowed', `A request for metrics was refused. ${refusal}`);
  return `${refusal}\n`;
}

async function scrape(
  { registry = REGISTRY, compress = true, created = false, onError }: MetricsHandlerOptions,
  { method, accept, acceptEncoding, reuse = false, signal, url = '/', scrapeTimeout }: MetricsRequest,
): Promise<MetricsResponse> {
  const names = namesOf(url);
  if (names !== undefined && names.size > MAX_NAMES) {
    return complete(400, TEXT, `At most ${MAX_NAMES} names can be requested, not ${names.size}.\n`);
  }
  const gzip = compress && acceptsGzip(acceptEncoding);
  const { contentType, format, escaping } = negotiate(accept);
  const headers = {
    Vary: compress ? 'Accept, Accept-Encoding' : 'Accept',
    ...(gzip ? { 'Content-Encoding': 'gzip' } : {}),
  };
  const collection = sharedCollections(registry, onError).join(signal, timeoutOf(scrapeTimeout));
  // Compression has read a chunk before it requests the next. So buffers can be reused even if the server keeps chunks.
  const options = { format, escaping, created, reuse: gzip || reuse };
  const collect = async () => {
    const families = await collection.families;
    return names === undefined ? families : families.filter((family) => isNamed(family, names));
  };
  const chunks = chunksOf({ collect }, options);
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

/** Returns the names that the parameters `name[]` of a URL list; undefined without any. */
function namesOf(url: string): Set<string> | undefined {
  const query = url.split('?', 2)[1];
  if (query === undefined || !/name(\[|%5b)/i.test(query)) return undefined;
  const names = new URLSearchParams(query).getAll('name[]');
  return names.length === 0 ? undefined : new Set(names);
}

/** Reports whether a family is one of the named ones. A counter is found with and without `_total`. */
function isNamed({ family: { name, type } }: FamilySnapshot, names: ReadonlySet<string>): boolean {
  return names.has(name) || names.has(withoutEnding(name, METRIC_TYPES[type].ending));
}

/** Returns the time limit of collectors, in seconds, for a scrape that Prometheus gives up at some time. */
function timeoutOf(header: string | undefined): number {
  const seconds = Number(header);
  if (!(seconds > 0)) return Number.POSITIVE_INFINITY;
  return Math.max(seconds - TIMEOUT_MARGIN, seconds / 2);
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

/** Returns a response that is known as a whole. */
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
