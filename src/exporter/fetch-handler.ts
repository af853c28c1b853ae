/** Metrics for servers that use `Request` and `Response`. */

import { StallTimer } from './node-handler.js';
import { createResponder } from './respond.js';
import type { MetricsHandlerOptions } from './response.js';

/** Answers a `Request`. Never rejects. */
export type FetchHandler = (request: Request) => Promise<Response>;

/**
 * Creates a function from `Request` to `Response` that serves metrics in the same way as {@link createMetricsHandler}.
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
    const { method, url, signal } = request;
    const accept = request.headers.get('accept');
    const scrapeTimeout = request.headers.get('x-prometheus-scrape-timeout-seconds') ?? undefined;
    const acceptEncoding = request.headers.get('accept-encoding');
    const { status, headers, body } = await respond({
      method,
      url,
      accept,
      acceptEncoding,
      scrapeTimeout,
      signal,
    });
    const content = body === null || body instanceof Uint8Array ? body : streamOf(body);
    return new Response(content, { status, headers });
  };
}

/**
 * Returns a stream that makes each chunk when it is read. Canceling the stream abandons the remaining chunks. If no
 * chunk is read for `MAX_STALL_MS`, they are abandoned too, and the stream ends with an error.
 */
function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let stall: StallTimer;
  return new ReadableStream({
    start(controller) {
      stall = new StallTimer(() => {
        controller.error(new Error('The client does not read'));
        void iterator.return?.();
      });
    },
    async pull(controller) {
      stall.stop();
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else {
        controller.enqueue(value);
        stall.restart();
      }
    },
    async cancel() {
      stall.stop();
      await iterator.return?.();
    },
  });
}
