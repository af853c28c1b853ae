/**
 * Remote write 1.0: numbers delivered to a Prometheus, or to any storage that accepts its protocol.
 *
 * @see https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
import { missingPackage } from '../errors.js';
import type { FamilySnapshot } from '../model/family.js';
import { checkOptionNames, invalidValue } from '../model/options.js';
import { findOrCreate } from '../system/find-or-create.js';
import { TimeSlice } from '../system/time-slice.js';
import { importProtobuf } from './protobuf-package.js';
import { collectorOf, PUSHED_OPTIONS, type PushedMetrics } from './pushed-metrics.js';
import {
  checkNumber,
  type Delivery,
  type Protocol,
  PUSHER_OPTIONS,
  Pusher,
  type PusherOptions,
} from './pusher.js';
import { DESTINATION_OPTIONS, Destination } from './request.js';
import { samplesOf } from './samples.js';

/** Options of {@link startRemoteWrite}. */
export interface RemoteWriteOptions extends PusherOptions, PushedMetrics {
  /**
   * Labels of every series, such as `{ job: 'api', instance: 'host-1:4711' }`. They must distinguish the series of this
   * process from those of every other one.
   */
  readonly labels: Readonly<Record<string, string>>;
  /** Maximum samples of a request. @defaultValue 2000 */
  readonly maxSamplesPerRequest?: number;
}

const OPTIONS = [
  ...DESTINATION_OPTIONS,
  ...PUSHER_OPTIONS,
  ...PUSHED_OPTIONS,
  'labels',
  'maxSamplesPerRequest',
];

/**
 * Sends the metrics of a registry by remote write, at an interval and when the program ends. While the server cannot be
 * reached, samples wait in memory, up to a limit. Series that are removed, and all series at the end, get a stale
 * marker. Needs the packages `snappy` and `@bufbuild/protobuf`.
 *
 * @throws `METHEUS_INVALID_OPTIONS`, `METHEUS_DEPENDENCY_MISSING`
 * @example
 * ```ts
 * const pusher = await startRemoteWrite({
 *   url: 'http://127.0.0.1:9090/api/v1/write',
 *   labels: { job: 'api', instance: 'host-1:4711' },
 * });
 * await pusher.close();
 * ```
 */
export async function startRemoteWrite(options: RemoteWriteOptions): Promise<Pusher> {
  checkOptionNames('startRemoteWrite', options, OPTIONS);
  const destination = new Destination(options);
  const { labels, maxSamplesPerRequest = 2000 } = options;
  const collect = collectorOf(options);
  checkNumber('maxSamplesPerRequest', maxSamplesPerRequest, 1_000_000);
  const names = Object.keys(Object(labels));
  if (names.length === 0 || !names.every((name) => isLabel(name, labels[name]))) {
    throw invalidValue('labels', labels, "labels such as { job: 'api', instance: 'host-1:4711' }");
  }
  const wire = await importProtobuf();
  const compress = await importSnappy();
  const messages = { ...wire, ...(await import('./write-request.js')) };
  return new Pusher(
    destination,
    options,
    new RemoteWrite(messages, compress, { collect, labels, maxSamplesPerRequest }),
  );
}

function isLabel(name: string, value: unknown): boolean {
  return /^(?!__)[A-Za-z_][A-Za-z0-9_]*$/.test(name) && typeof value === 'string' && value !== '';
}

type Messages = typeof import('./write-request.js') & typeof import('@bufbuild/protobuf/wire');

/** Compresses with snappy's block format. */
type Compress = (bytes: Uint8Array) => Promise<Uint8Array>;

/** @throws `METHEUS_DEPENDENCY_MISSING` */
async function importSnappy(): Promise<Compress> {
  try {
    const { compress } = await import('snappy');
    return (bytes) => compress(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (cause) {
    throw missingPackage('snappy', 'snappy, with which remote write compresses', cause);
  }
}

/** A series of which a sample has been sent. */
interface SentSeries {
  /** The encoded labels. */
  readonly labels: Uint8Array;
  /** The number of the last collection that had the series. */
  collection: number;
  /** Unix milliseconds of its last sample. */
  time: number;
}

interface Settings extends Required<Pick<RemoteWriteOptions, 'labels' | 'maxSamplesPerRequest'>> {
  readonly collect: () => Promise<readonly FamilySnapshot[]>;
}

/** Makes the requests, and remembers the series, so that each gets a stale marker when it is gone. */
class RemoteWrite implements Protocol {
  readonly name = 'Remote write';
  readonly path = '';
  readonly headers = {
    'Content-Encoding': 'snappy',
    'Content-Type': 'application/x-protobuf',
    'X-Prometheus-Remote-Write-Version': '0.1.0',
    'User-Agent': 'metheus',
  };
  readonly #messages: Messages;
  readonly #compress: Compress;
  readonly #options: Settings;
  readonly #series = new Map<string, SentSeries>();
  #collections = 0;
  /** Whether the last collection has begun. Another one would continue series that have ended. */
  #isEnded = false;
  /** Unix milliseconds of the last collection. Stale markers are one millisecond later. */
  #time = 0;

  constructor(messages: Messages, compress: Compress, options: Settings) {
    this.#messages = messages;
    this.#compress = compress;
    this.#options = options;
  }

  isRetryable(status: number): boolean {
    return status === 429 || status >= 500;
  }

  async collect(enqueue: (delivery: Delivery) => void, isLast: boolean): Promise<void> {
    const { collect, labels: more, maxSamplesPerRequest } = this.#options;
    const { BinaryWriter, encodeLabels, WriteRequest } = this.#messages;
    if (this.#isEnded) return;
    this.#isEnded = isLast;
    let failure: { readonly error: unknown } | undefined;
    const families = await collect().catch((error: unknown): FamilySnapshot[] => {
      // Without numbers, series end only with the program.
      if (!isLast) throw error;
      failure = { error };
      return [];
    });
    // The clock of the machine may go back, but the times of samples must not.
    this.#time = Math.max(Date.now(), this.#time + 2);
    const collection = ++this.#collections;
    const slice = new TimeSlice();
    let request = new WriteRequest(new BinaryWriter());
    const next = async (most: number): Promise<void> => {
      const { size } = request;
      if (size >= most) {
        const body = await this.#compress(request.finish());
        request = new WriteRequest(new BinaryWriter());
        enqueue({ body, samples: size });
      }
      if (slice.isOverAfterStep()) await slice.next();
    };
    for (const sample of samplesOf(families, this.#time)) {
      const series = findOrCreate(this.#series, sample.key, () => {
        const labels = encodeLabels(new BinaryWriter(), sample.name, { ...more, ...sample.labels() });
        return { labels, collection, time: Number.NEGATIVE_INFINITY };
      });
      series.collection = collection;
      // The server refuses a request with a sample that is not newer than the last one of its series.
      if (sample.time <= series.time) continue;
      series.time = sample.time;
      request.add(series.labels, sample);
      await next(maxSamplesPerRequest);
    }
    for (const [key, series] of this.#series) {
      if (series.collection === collection && !isLast) continue;
      this.#series.delete(key);
      request.end(series.labels, Math.max(this.#time, series.time) + 1);
      await next(maxSamplesPerRequest);
    }
    await next(1);
    if (failure !== undefined) throw failure.error;
  }
}
