/**
 * OTLP over HTTP: numbers delivered to an OpenTelemetry collector, or to any server that accepts its protocol.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { MetheusError, show } from '../errors.js';
import type { FamilySnapshot } from '../model/family.js';
import { METRIC_TYPES } from '../model/metric-types.js';
import { checkOptionNames, invalidValue } from '../model/options.js';
import { TimeSlice } from '../system/time-slice.js';
import { attributesOf, groupsOf, type Message, metricOf, type PartialSuccess } from './otlp-message.js';
import { importProtobuf } from './protobuf-package.js';
import { collectorOf, PUSHED_OPTIONS, type PushedMetrics } from './pushed-metrics.js';
import { type Delivery, type Protocol, PUSHER_OPTIONS, Pusher, type PusherOptions } from './pusher.js';
import { DESTINATION_OPTIONS, Destination } from './request.js';

/** Options of {@link startOtlp}. The variables `OTEL_*` of OpenTelemetry set other defaults. */
export interface OtlpOptions extends Omit<PusherOptions, 'url'>, PushedMetrics {
  /**
   * The whole URL.
   *
   * @defaultValue `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`, else `OTEL_EXPORTER_OTLP_ENDPOINT` with `/v1/metrics`, else
   * `http://localhost:4318/v1/metrics`
   */
  readonly url?: string | URL;
  /** `protobuf` needs the package `@bufbuild/protobuf`. @defaultValue `OTEL_EXPORTER_OTLP_PROTOCOL`, else `'protobuf'` */
  readonly format?: 'protobuf' | 'json';
  /** Whether to compress with gzip. @defaultValue whether `OTEL_EXPORTER_OTLP_COMPRESSION` is `gzip` */
  readonly compress?: boolean;
  /**
   * Attributes of this program. `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` add others; `service.name` and
   * `service.instance.id` have defaults.
   */
  readonly resource?: Readonly<Record<string, string>>;
}

const OPTIONS = [
  ...DESTINATION_OPTIONS,
  ...PUSHER_OPTIONS,
  ...PUSHED_OPTIONS,
  'format',
  'compress',
  'resource',
];

/** Maximum characters of a server's message in a warning. */
const MAX_MESSAGE = 500;

const CONTENT_TYPES = { protobuf: 'application/x-protobuf', json: 'application/json' };

/** Maximum series of a request, so that it stays below the 4 MiB that many servers accept. */
const SERIES_PER_REQUEST = 5000;

/**
 * Sends the metrics of a registry over OTLP, at an interval and when the program ends. While the server cannot be
 * reached, requests wait in memory, up to a limit.
 *
 * @throws `METHEUS_INVALID_OPTIONS`, also for variables; `METHEUS_DEPENDENCY_MISSING`
 * @example
 * ```ts
 * const pusher = await startOtlp({ url: 'http://127.0.0.1:4318/v1/metrics', resource: { 'service.name': 'api' } });
 * await pusher.close();
 * ```
 */
export async function startOtlp(options: OtlpOptions = {}): Promise<Pusher> {
  checkOptionNames('startOtlp', options, OPTIONS);
  const settings = { ...options, ...settingsOf(options) };
  const { format, compress, resource } = settings;
  const collect = collectorOf(options);
  if (!Object.hasOwn(CONTENT_TYPES, format)) throw invalidValue('format', format, "'protobuf' or 'json'");
  const attributes = { ...resourceOfEnvironment(), ...resource };
  const isAttribute = ([, value]: [string, unknown]) => typeof value === 'string';
  if (!Object.entries(attributes).every(isAttribute))
    throw invalidValue('resource', resource, 'strings as values');
  const destination = new Destination(settings);
  const codec = format === 'json' ? JSON_CODEC : await protobufCodec();
  return new Pusher(destination, settings, new Otlp(codec, { format, compress, collect, attributes }));
}

async function protobufCodec(): Promise<Codec> {
  const { BinaryReader, BinaryWriter } = await importProtobuf();
  const { encodeRequest, readPartialSuccess } = await import('./otlp-protobuf.js');
  return {
    encode: (request) => encodeRequest(new BinaryWriter(), request),
    partialSuccessOf: (body) => readPartialSuccess(new BinaryReader(body)),
  };
}

type Format = keyof typeof CONTENT_TYPES;

/** Makes the requests. */
class Otlp implements Protocol {
  readonly name = 'OTLP';
  readonly path = '';
  readonly headers: Readonly<Record<string, string>>;
  readonly #encode: (request: Message) => Uint8Array;
  readonly #partialSuccessOf: (body: Buffer) => PartialSuccess;
  readonly #compress: boolean;
  readonly #collect: () => Promise<readonly FamilySnapshot[]>;
  readonly #resource: Message;
  readonly #start = Date.now() / 1000 - process.uptime();

  constructor(
    { encode, partialSuccessOf }: Codec,
    {
      format,
      compress,
      collect,
      attributes,
    }: {
      format: Format;
      compress: boolean;
      collect: () => Promise<readonly FamilySnapshot[]>;
      attributes: Record<string, string>;
    },
  ) {
    this.#encode = encode;
    this.#partialSuccessOf = partialSuccessOf;
    this.#compress = compress;
    this.#collect = collect;
    this.#resource = { attributes: attributesOf(attributes) };
    this.headers = {
      'Content-Type': CONTENT_TYPES[format],
      'User-Agent': 'metheus',
      ...(compress && { 'Content-Encoding': 'gzip' }),
    };
  }

  isRetryable(status: number): boolean {
    return [429, 502, 503, 504].includes(status);
  }

  async collect(enqueue: (delivery: Delivery) => void): Promise<void> {
    const families = await this.#collect();
    const times = { now: Date.now() / 1000, start: this.#start };
    const slice = new TimeSlice();
    let metrics: Message[] = [];
    let samples = 0;
    const finish = async (): Promise<void> => {
      const scopeMetrics = [{ scope: { name: 'metheus' }, metrics }];
      const bytes = this.#encode({ resourceMetrics: [{ resource: this.#resource, scopeMetrics }] });
      const body = this.#compress ? await promisify(gzip)(bytes) : bytes;
      enqueue({ body, samples });
      metrics = [];
      samples = 0;
    };
    for (const snapshot of families) {
      if (METRIC_TYPES[snapshot.family.type].isHidden) continue;
      for (const group of groupsOf(snapshot, SERIES_PER_REQUEST)) {
        if (samples + group.length > SERIES_PER_REQUEST && samples > 0) await finish();
        metrics.push(metricOf(snapshot, group, times));
        samples += group.length;
        if (slice.isOverAfterStep()) await slice.next();
      }
    }
    if (samples > 0) await finish();
  }

  refusalOf(body: Buffer): { readonly samples: number; readonly message: string } | undefined {
    try {
      const { samples, message } = this.#partialSuccessOf(body);
      if (samples === 0 && message === '') return undefined;
      const text = message.replace(/\p{Cc}+/gu, ' ').slice(0, MAX_MESSAGE) || 'no message';
      return { samples, message: `${samples} refused: ${text}` };
    } catch {
      // Not an answer of OTLP: the status counts.
      return undefined;
    }
  }
}

/** Encodes requests and decodes answers. */
interface Codec {
  readonly encode: (request: Message) => Uint8Array;
  readonly partialSuccessOf: (body: Buffer) => PartialSuccess;
}

const JSON_CODEC: Codec = {
  encode: encodeJson,
  partialSuccessOf(body) {
    const { partialSuccess } = JSON.parse(body.toString() || '{}') as {
      partialSuccess?: { rejectedDataPoints?: string | number; errorMessage?: string };
    };
    const { rejectedDataPoints = 0, errorMessage = '' } = partialSuccess ?? {};
    return { samples: Number(rejectedDataPoints), message: errorMessage };
  },
};

/** Encodes a message as JSON. OTLP writes numbers that JSON lacks as text. */
function encodeJson(message: Message): Uint8Array {
  const text = JSON.stringify(message, (_, value: unknown) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? value === 0
        ? '-0'
        : String(value)
      : value,
  );
  return Buffer.from(text);
}

/** The settings that have defaults in the environment. */
interface OtlpSettings {
  readonly url: string | URL;
  readonly format: Format;
  readonly compress: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly interval: number;
}

/** Returns settings, by default those of the variables `OTEL_*`. A variable is not read where an option replaces it. A variable for metrics wins over one for all signals. */
function settingsOf(options: OtlpOptions): OtlpSettings {
  const of = (name: string): string | undefined =>
    process.env[`OTEL_EXPORTER_OTLP_METRICS_${name}`] ||
    process.env[`OTEL_EXPORTER_OTLP_${name}`] ||
    undefined;
  const base = process.env.OTEL_EXPORTER_OTLP_ENDPOINT || 'http://localhost:4318';
  const { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OTEL_METRIC_EXPORT_INTERVAL } = process.env;
  return {
    url: options.url ?? (OTEL_EXPORTER_OTLP_METRICS_ENDPOINT || `${base.replace(/\/$/, '')}/v1/metrics`),
    format: options.format ?? formatOf(of('PROTOCOL') ?? 'http/protobuf'),
    compress: options.compress ?? of('COMPRESSION') === 'gzip',
    headers: options.headers ?? pairsOf(of('HEADERS')),
    timeout: options.timeout ?? secondsOf('OTEL_EXPORTER_OTLP_TIMEOUT', of('TIMEOUT') ?? '10000'),
    interval:
      options.interval ?? secondsOf('OTEL_METRIC_EXPORT_INTERVAL', OTEL_METRIC_EXPORT_INTERVAL || '60000'),
  };
}

/** @throws `METHEUS_INVALID_OPTIONS` */
function formatOf(protocol: string): Format {
  const format = protocol.replace(/^http\//, '');
  if (Object.hasOwn(CONTENT_TYPES, format)) return format as Format;
  throw new MetheusError('METHEUS_INVALID_OPTIONS', {
    given: `OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}`,
    expected: 'http/protobuf or http/json',
  });
}

function resourceOfEnvironment(): Record<string, string> {
  const { OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME } = process.env;
  return {
    'service.name': 'unknown_service:node',
    'service.instance.id': randomUUID(),
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'metheus',
    ...pairsOf(OTEL_RESOURCE_ATTRIBUTES),
    ...(OTEL_SERVICE_NAME && { 'service.name': OTEL_SERVICE_NAME }),
  };
}

/** Parses `key=value,key=value` with percent-encoding, as W3C Baggage. */
function pairsOf(text = ''): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const [key, ...value] = pair.split('=').map((part) => part.trim());
    return key && value.length > 0 ? [[decoded(key), decoded(value.join('='))]] : [];
  });
  return Object.fromEntries(pairs);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns milliseconds of a variable in seconds. */
function secondsOf(variable: string, text: string): number {
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text) / 1000;
  throw new MetheusError('METHEUS_INVALID_OPTIONS', {
    given: `${variable}=${show(text)}`,
    expected: 'milliseconds, a whole number above 0',
  });
}
