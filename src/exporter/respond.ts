/** What is answered to a request for metrics: decided here, once, for every kind of server. */
import { show, warnOnce } from '../errors.js';
import { negotiate } from '../exposition/negotiate.js';
import { REGISTRY } from '../registry/default-registry.js';
import { streamMetrics } from '../registry/generate.js';
import { acceptsGzip } from './accept-encoding.js';
import { gzipBytes, gzipChunks } from './gzip.js';
import { indexPage } from './index-page.js';
import { checkOptions, type MetricsHandlerOptions } from './options.js';
import { sharedCollections } from './shared-collection.js';

/** As much of a request as matters here. */
export interface MetricsRequest {
  readonly method: string | undefined;
  /** A path with or without a query, or a whole URL. */
  readonly url: string | undefined;
  readonly accept: string | null | undefined;
  readonly acceptEncoding: string | null | undefined;
  /** Whether whoever takes a body has sent each chunk before it asks for the next, so that it may be written over. */
  readonly reuse?: boolean;
}

export interface MetricsResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Nothing for `HEAD`; the bytes, where they are few; else chunks, made as they are taken. Whoever takes them
   * must break the connection when they end with an error: the status that was sent no longer holds.
   */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
}

/** Answers a request. Never rejects. */
export type Responder = (request: MetricsRequest) => Promise<MetricsResponse>;

const METHODS: readonly unknown[] = ['GET', 'HEAD'];
const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';

const encoder = new TextEncoder();

/**
 * @param index - whether `/` has a page for people, with a link to the metrics
 * @throws `METHEUS_INVALID_OPTIONS`
 */
export function createResponder(options: MetricsHandlerOptions, index = false): Responder {
  checkOptions(options);
  const { path } = options;
  const respond = async (request: MetricsRequest): Promise<MetricsResponse> => {
    const { method, url = '/' } = request;
    const asked = pathOf(url);
    const found = path === undefined || path === asked;
    const isIndex = index && !found && asked === '/';
    if (!found && !isIndex) return whole(404, TEXT, `There is nothing here. Metrics are at ${path}\n`);
    if (!METHODS.includes(method)) {
      return whole(405, TEXT, 'Metrics are read with GET or HEAD.\n', { Allow: METHODS.join(', ') });
    }
    if (isIndex) return whole(200, HTML, indexPage(path!));
    return metrics(options, request).catch(failure);
  };
  return async (request) => {
    const response = await respond(request);
    return request.method === 'HEAD' ? { ...response, body: null } : response;
  };
}

/** The path that a request names, its query left out. Requests to a proxy name a whole URL. */
function pathOf(url: string): string {
  const path = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(url)?.[1];
  return path || '/';
}

async function metrics(
  { registry, compress = true, created = false }: MetricsHandlerOptions,
  { method, accept, acceptEncoding, reuse = false }: MetricsRequest,
): Promise<MetricsResponse> {
  const gzip = compress && acceptsGzip(acceptEncoding);
  const { contentType, format, escaping } = negotiate(accept);
  const headers = {
    Vary: compress ? 'Accept, Accept-Encoding' : 'Accept',
    ...(gzip ? { 'Content-Encoding': 'gzip' } : {}),
  };
  // What is compressed is read before the next is asked for; what is sent as it is may wait somewhere on its way.
  const how = { format, escaping, created, reuse: gzip || reuse };
  const chunks = sharedCollections(registry ?? REGISTRY).scrape((shared) => streamMetrics(shared, how));
  // Everything is collected before the first chunk, so that what fails then is still a 500.
  const first = await chunks.next();
  const second = await chunks.next();
  if (second.done) {
    const bytes = first.value ?? new Uint8Array();
    return whole(200, contentType, gzip ? await gzipBytes(bytes) : bytes, headers);
  }
  // Nobody takes the rest.
  if (method === 'HEAD') await chunks.return();
  const body = reportingErrors(startingWith([first.value!, second.value], chunks));
  return {
    status: 200,
    headers: { 'Content-Type': contentType, ...headers },
    body: gzip ? gzipChunks(body) : body,
  };
}

async function* startingWith<T>(first: readonly T[], rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield* first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

async function* reportingErrors<T>(chunks: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* chunks;
  } catch (error) {
    report(error);
    throw error;
  }
}

function failure(error: unknown): MetricsResponse {
  report(error);
  return whole(500, TEXT, `An error has occurred while serving metrics:\n\n${messageOf(error)}\n`);
}

/** Whoever scrapes sees a status and little else, so this process is told too. */
function report(error: unknown): void {
  const kind = (error as { code?: unknown } | null | undefined)?.code;
  warnOnce(`serving metrics: ${kind}`, `Metrics could not be served: ${messageOf(error)}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : show(error);
}

function whole(
  status: number,
  type: string,
  content: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): MetricsResponse {
  const body = typeof content === 'string' ? encoder.encode(content) : content;
  return {
    status,
    headers: { 'Content-Type': type, 'Content-Length': String(body.length), ...headers },
    body,
  };
}
