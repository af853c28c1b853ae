/** Metrics for `node:http`, and for frameworks that accept its handlers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createResponder, type Responder } from './respond.js';
import type { MetricsHandlerOptions } from './response.js';

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

/** A listener of `node:http`. */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Creates a listener that serves metrics to `GET` and `HEAD`, in the format that the client prefers, and compressed if
 * the client accepts that.
 *
 * Large responses are written as fast as the client reads, and end when the client disconnects or reads nothing for 30
 * seconds. The listener itself never throws.
 *
 * @throws `METHEUS_INVALID_OPTIONS`
 * @example
 * ```ts
 * const metrics = createMetricsHandler({ path: '/metrics' });
 * createServer(metrics).listen(9464, '127.0.0.1');
 * app.use('/metrics', createMetricsHandler()); // the framework has chosen the path
 * ```
 */
export function createMetricsHandler(options: MetricsHandlerOptions = {}): MetricsHandler {
  return handlerOf(createResponder(options));
}

/** Creates a listener that sends the responses of a responder. */
export function handlerOf(respond: Responder): MetricsHandler {
  return (request, response) => {
    serve(respond, request, response).catch(() => {
      // The client has disconnected, or the rest cannot be made: the response must not look complete.
      response.destroy();
    });
  };
}

async function serve(respond: Responder, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url } = request;
  const { accept, 'accept-encoding': acceptEncoding, authorization } = request.headers;
  const scrapeTimeout = request.headers['x-prometheus-scrape-timeout-seconds'] as string | undefined;
  // HTTP/2 has a pseudo-header instead of `Host`.
  const host = request.headers.host ?? (request.headers[':authority'] as string | undefined);
  // A framework may have replaced `write`, for instance to compress. The new function may still use a chunk after it
  // has called back, so buffers must not be reused.
  const reuse = !Object.hasOwn(response, 'write');
  const closed = new AbortController();
  const stall = new StallTimer(() => response.destroy());
  response.once('close', () => {
    stall.stop();
    closed.abort();
  });
  const { signal } = closed;
  const { status, headers, body, abandon } = await respond({
    method,
    url,
    accept,
    acceptEncoding,
    host,
    authorization,
    scrapeTimeout,
    reuse,
    signal,
  });
  if (response.destroyed) {
    await abandon?.();
    return;
  }
  response.writeHead(status, headers);
  stall.restart();
  if (body === null) response.end();
  else if (body instanceof Uint8Array) response.end(body);
  else if (reuse) await send(timed(body, stall), response);
  else await pipeline(timed(body, stall), response);
}

/** Yields the chunks, and restarts the timer with each. */
async function* timed(chunks: AsyncIterable<Uint8Array>, stall: StallTimer): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    stall.restart();
    yield chunk;
  }
}

/** Sends the chunks. Each has left the memory of this process before the next is requested. */
async function send(chunks: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  let wake = (_error?: Error | null): void => {};
  response.on('error', (error) => wake(error));
  response.once('close', () => wake(new Error('The client has disconnected')));
  for await (const chunk of chunks) {
    const error = await new Promise<Error | null | undefined>((resolve) => {
      wake = resolve;
      response.write(chunk, resolve);
    });
    if (error) throw error;
  }
  response.end();
}
