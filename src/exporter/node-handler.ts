/** Metrics for `node:http`, and for all frameworks that take its handlers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { MetricsHandlerOptions } from './options.js';
import { createResponder, type Responder } from './respond.js';

/** A listener of `node:http`. */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Makes a listener that serves metrics: to `GET` and `HEAD`, in the format that the client likes best, and
 * compressed where it asks for that.
 *
 * Large answers are written as fast as the client reads, and not at all once it has gone. A collector that
 * fails is answered with 500 and its message. The listener itself never throws.
 *
 * @throws `METHEUS_INVALID_OPTIONS`
 * @example
 * ```ts
 * const metrics = createMetricsHandler({ path: '/metrics' });
 * createServer(metrics).listen(9464, '127.0.0.1');
 * app.use('/metrics', createMetricsHandler()); // in a framework: the path is its affair
 * ```
 */
export function createMetricsHandler(options: MetricsHandlerOptions = {}): MetricsHandler {
  return handlerOf(createResponder(options));
}

/** A listener that gives a responder's answers. */
export function handlerOf(respond: Responder): MetricsHandler {
  return (request, response) => {
    serve(respond, request, response).catch(() => {
      // The client has gone, or the rest of the answer cannot be made: the connection must not look complete.
      response.destroy();
    });
  };
}

async function serve(respond: Responder, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url } = request;
  const { accept, 'accept-encoding': acceptEncoding } = request.headers;
  // A framework's own `write`, one that compresses for instance, may keep a chunk and tell nobody when it is sent.
  const reuse = !Object.hasOwn(response, 'write');
  const { status, headers, body } = await respond({ method, url, accept, acceptEncoding, reuse });
  if (response.destroyed) return;
  response.writeHead(status, headers);
  if (body === null) response.end();
  else if (body instanceof Uint8Array) response.end(body);
  else if (reuse) await send(body, response);
  else await pipeline(body, response);
}

/** Sends chunk by chunk: each is out of this process's memory when the next is asked for. */
async function send(chunks: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  let wake = (_error?: Error | null): void => {};
  response.on('error', (error) => wake(error));
  response.once('close', () => wake(new Error('The client has gone')));
  for await (const chunk of chunks) {
    const error = await new Promise<Error | null | undefined>((resolve) => {
      wake = resolve;
      response.write(chunk, resolve);
    });
    if (error) throw error;
  }
  response.end();
}
