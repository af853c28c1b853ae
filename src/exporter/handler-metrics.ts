/** Metrics of the handler itself, with the names of Go's handler. */
import { createCounter, createGauge, createSummary } from '../metrics/create.js';
import type { CollectorRegistry } from '../registry/collector-registry.js';
import type { DefaultRegistry } from '../registry/default-registry.js';
import type { MetricsResponse } from './response.js';

/** Statuses that have a series from the start, as in Go. */
const STATUSES = [200, 500, 503];

/** Counts requests for metrics, and what they cost. */
export class HandlerMetrics {
  readonly #requests;
  readonly #inFlight;
  readonly #errors;
  readonly #seconds;
  readonly #bytes;

  /** Handlers of one registry share the metrics. */
  constructor(registry: CollectorRegistry | DefaultRegistry) {
    const name = 'promhttp_metric_handler';
    this.#requests = createCounter(`${name}_requests_total`, 'Total number of scrapes by HTTP status code.', {
      requiredLabels: ['code'],
      registry,
    });
    this.#inFlight = createGauge(`${name}_requests_in_flight`, 'Current number of scrapes being served.', {
      multiprocessMode: 'livesum',
      registry,
    });
    this.#errors = createCounter(
      `${name}_errors_total`,
      'Total number of internal errors encountered by the handler.',
      { requiredLabels: ['cause'], registry },
    );
    this.#seconds = createSummary('metheus_scrape_duration_seconds', 'Time to answer a scrape.', {
      registry,
    });
    this.#bytes = createSummary('metheus_scrape_size_bytes', 'Bytes sent for a scrape, after compression.', {
      registry,
    });
    for (const code of STATUSES) this.#requests.labels({ code });
    for (const cause of ['gathering', 'encoding']) this.#errors.labels({ cause });
  }

  /** Observes a request until its response has been sent, or abandoned. */
  async observe(respond: () => Promise<MetricsResponse>): Promise<MetricsResponse> {
    const start = performance.now();
    this.#inFlight.inc();
    let isRunning = true;
    const end = (): void => {
      if (!isRunning) return;
      isRunning = false;
      this.#inFlight.dec();
      this.#seconds.observe((performance.now() - start) / 1000);
    };
    const response = await respond();
    const { status, body, abandon } = response;
    this.#requests.labels({ code: status }).inc();
    if (status === 500) this.#errors.labels({ cause: 'gathering' }).inc();
    if (body === null || body instanceof Uint8Array) {
      if (body !== null) this.#bytes.observe(body.length);
      end();
      return response;
    }
    return {
      ...response,
      body: this.#observeChunks(body, end),
      abandon: async () => {
        end();
        await abandon?.();
      },
    };
  }

  async *#observeChunks(chunks: AsyncIterable<Uint8Array>, end: () => void): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        yield chunk;
      }
      this.#bytes.observe(bytes);
    } catch (error) {
      this.#errors.labels({ cause: 'encoding' }).inc();
      throw error;
    } finally {
      end();
    }
  }
}
