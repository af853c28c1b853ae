/** Metrics for servers that speak `Request` and `Response`. */
import type { MetricsHandlerOptions } from './options.js';
import { createResponder } from './respond.js';

/** Answers a `Request`. Never rejects. */
export type FetchHandler = (request: Request) => Promise<Response>;

/**
 * Makes a function from `Request` to `Response` that serves metrics just as {@link createMetricsHandler} does.
 *
 * @throws `METHEUS_INVALID_OPTIONS`
 * @example
 * ```ts
 * const metrics = createFetchHandler();
 * app.get('/metrics', ({ request }) => metrics(request));
 * ```
 */
export function createFetchHandler(options: MetricsHandlerOptions = {}): FetchHandler {
  const respond = createResponder(options);
  return async (request) => {
    const { method, url } = request;
    const accept = request.headers.get('accept');
    const acceptEncoding = request.headers.get('accept-encoding');
    const { status, headers, body } = await respond({ method, url, accept, acceptEncoding });
    const content = body === null || body instanceof Uint8Array ? body : streamOf(body);
    return new Response(content, { status, headers });
  };
}

/** The chunks as a stream, each made when it is asked for. Cancelling the stream ends them. */
function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
