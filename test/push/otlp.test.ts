/** OTLP, decoded by the definitions of the OpenTelemetry project, and compared with what its own SDK sends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import {
  ExplicitBucketHistogramAggregation,
  ExponentialHistogramAggregation,
  MeterProvider,
  PeriodicExportingMetricReader,
  View,
} from '@opentelemetry/sdk-metrics';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  createInfo,
  createStateSet,
  createSummary,
} from 'metheus';
import { type OtlpOptions, startOtlp } from 'metheus/push';

interface DataPoint {
  readonly attributes?: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly [field: string]: unknown;
}
type Data = { readonly dataPoints: readonly DataPoint[]; readonly [field: string]: unknown };
interface Metric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly [data: string]: Data | string;
}
interface Exported {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: DataPoint['attributes'] };
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
}

const require = createRequire(import.meta.url);
const { opentelemetry } = require('@opentelemetry/otlp-transformer/build/src/generated/root.js');
const requestType = opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;

const decode = (body: Buffer): Exported => requestType.toObject(requestType.decode(body), { longs: String });

const metricsOf = ({ resourceMetrics }: Exported): Record<string, Metric> => {
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap((scope) => scope.metrics),
  );
  return Object.fromEntries(metrics.map((metric) => [metric.name, metric]));
};

const interval = 1_000_000;

describe('OTLP', () => {
  const requests: {
    readonly url: string | undefined;
    readonly headers: IncomingHttpHeaders;
    readonly body: Buffer;
  }[] = [];
  let answers: readonly [status: number, headers: Record<string, string>, body: string][] = [];
  let registry: CollectorRegistry;
  let url: string;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    requests.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
    const [answer = [200, {}, ''] as const, ...rest] = answers;
    answers = rest;
    response.writeHead(answer[0], answer[1]).end(answer[2]);
  });

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`;
  });
  after(() => server.close());
  beforeEach(() => {
    registry = new CollectorRegistry();
    requests.length = 0;
    answers = [];
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];
  });

  async function exported(options: OtlpOptions = {}): Promise<Exported> {
    const pusher = await startOtlp({ url, registry, interval, ...options });
    await pusher.flush();
    const { body, headers } = requests.at(-1)!;
    const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    await pusher.close();
    return headers['content-type'] === 'application/json' ? JSON.parse(plain.toString()) : decode(plain);
  }

  function fill(): void {
    createCounter('jobs_total', 'Jobs.', { requiredLabels: ['queue', 'empty'], registry })
      .labels({ queue: 'a "b" 漢', empty: '' })
      .inc(3);
    createGauge('temp_celsius', 'T.', { unit: 'celsius', registry }).set(-1.5);
    const classic = createHistogram('took_seconds', 'H.', { buckets: [0.5, 1], unit: 'seconds', registry });
    for (const value of [0.2, 0.7, 0.8, 5]) classic.observe(value);
    const native = createHistogram('size_bytes', 'N.', { native: true, registry });
    for (const value of [0, 0.001, 0.5, 0.5, -3, 1e6]) native.observe(value);
    const summary = createSummary('wait_seconds', 'S.', { quantiles: [0.5], registry });
    for (const value of [1, 2, 3]) summary.observe(value);
  }

  it('has the same data as the exporter of the OpenTelemetry SDK', async () => {
    const counter = createCounter('jobs_total', 'Jobs.', { requiredLabels: ['queue'], registry });
    const gauge = createGauge('temp', 'T.', { registry });
    const classic = createHistogram('took', 'H.', { buckets: [0.5, 1], registry });
    const native = createHistogram('size', 'N.', { native: true, registry });
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url }),
      exportIntervalMillis: 1_000_000,
    });
    const provider = new MeterProvider({
      readers: [reader],
      views: [
        new View({
          instrumentName: 'took',
          aggregation: new ExplicitBucketHistogramAggregation([0.5, 1], false),
        }),
        new View({ instrumentName: 'size', aggregation: new ExponentialHistogramAggregation(160, false) }),
      ],
    });
    const meter = provider.getMeter('theirs');
    const theirCounter = meter.createCounter('jobs', { description: 'Jobs.' });
    meter.createObservableGauge('temp', { description: 'T.' }).addCallback((result) => result.observe(-1.5));
    const theirClassic = meter.createHistogram('took', { description: 'H.' });
    const theirNative = meter.createHistogram('size', { description: 'N.' });
    for (const queue of ['a', 'b']) {
      counter.labels({ queue }).inc(3);
      theirCounter.add(3, { queue });
    }
    gauge.set(-1.5);
    for (const value of [0.2, 0.5, 0.7, 5]) {
      classic.observe(value);
      theirClassic.record(value);
    }
    for (const value of [0, 0.9, 1, 1.1, 1.5]) {
      native.observe(value);
      theirNative.record(value);
    }
    await provider.forceFlush();
    const theirs = metricsOf(decode(requests.at(-1)!.body));
    await provider.shutdown();
    const ours = metricsOf(await exported());
    for (const name of ['jobs', 'temp', 'took']) {
      assert.deepEqual(withoutTimes(ours[name]!), withoutTimes(theirs[name]!), name);
    }
    // Both choose their own scale, so the counts are compared at the coarser of the two.
    const [one, other] = [ours.size!, theirs.size!].map(
      ({ exponentialHistogram }) => (exponentialHistogram as Data).dataPoints[0]!,
    ) as [DataPoint, DataPoint];
    assert.deepEqual([one.count, one.sum, one.zeroCount], [other.count, other.sum, other.zeroCount]);
    const scale = Math.min(one.scale as number, other.scale as number);
    assert.deepEqual(countsAt(one, scale), countsAt(other, scale));
  });

  it('has the same content as JSON and protobuf', async () => {
    fill();
    const protobuf = metricsOf(await exported({ format: 'protobuf' }));
    const json = metricsOf(await exported({ format: 'json', compress: true }));
    assert.deepEqual(Object.keys(json), [
      'jobs',
      'temp_celsius',
      'took_seconds',
      'size_bytes',
      'wait_seconds',
    ]);
    for (const name of Object.keys(json)) {
      const [one, other] = [json, protobuf].map((metrics) => withoutTimes(metrics[name]!));
      assert.deepEqual(one, withoutEmpty(other), name);
    }
  });

  it('has the labels, units and start times of series', async () => {
    const before = Date.now() / 1000 - 1;
    fill();
    const { jobs, temp_celsius, took_seconds, size_bytes } = metricsOf(await exported({ format: 'json' }));
    const [point] = (jobs!.sum as Data).dataPoints;
    assert.deepEqual(point?.attributes, [{ key: 'queue', value: { stringValue: 'a "b" 漢' } }]);
    assert.deepEqual(
      [(jobs!.sum as Data).isMonotonic, (jobs!.sum as Data).aggregationTemporality],
      [true, 2],
    );
    const [start, time] = [Number(point!.startTimeUnixNano) / 1e9, Number(point!.timeUnixNano) / 1e9];
    assert.ok(start >= before && time >= start && time <= Date.now() / 1000 + 1, `${start} ${time}`);
    assert.deepEqual([temp_celsius?.unit, took_seconds?.unit, size_bytes?.unit], ['Cel', 's', '']);
  });

  it('has the buckets of native histograms, at a lower scale where they spread widely', async () => {
    const native = createHistogram('spread', 'N.', { native: true, registry });
    const values = [1e-9, 1e-9, 1, 1e9, 1e12];
    for (const value of values) native.observe(value);
    const { spread } = metricsOf(await exported());
    const [point] = (spread!.exponentialHistogram as Data).dataPoints;
    const { scale, positive, count } = point as unknown as {
      scale: number;
      positive: { offset: number; bucketCounts: string[] };
      count: string;
    };
    assert.equal(count, '5');
    assert.ok(positive.bucketCounts.length <= 1024);
    const base = 2 ** (2 ** -scale);
    for (const value of values) {
      const k = positive.bucketCounts.findIndex(
        (_, i) => value <= base ** (positive.offset + i + 1) * (1 + 1e-9),
      );
      assert.ok(Number(positive.bucketCounts[k]) > 0, `no bucket of ${value}`);
    }
  });

  it('has exemplars with the ids of their trace', async () => {
    const traceId = '0123456789abcdef0123456789abcdef';
    const counter = createCounter('traced_total', 'T.', { registry });
    counter.inc(2, { trace_id: traceId, span_id: '0123456789abcdef', user: 'x' });
    const { traced } = metricsOf(await exported({ format: 'json' }));
    const [exemplar] = (traced!.sum as Data).dataPoints[0]!.exemplars as Record<string, unknown>[];
    assert.equal(exemplar!.traceId, traceId);
    assert.equal(exemplar!.spanId, '0123456789abcdef');
    assert.equal(exemplar!.asDouble, 2);
    assert.deepEqual(exemplar!.filteredAttributes, [{ key: 'user', value: { stringValue: 'x' } }]);
    const decoded = metricsOf(await exported()).traced!;
    const [same] = (decoded.sum as Data).dataPoints[0]!.exemplars as { traceId: Uint8Array }[];
    assert.equal(Buffer.from(same!.traceId).toString('hex'), traceId);
  });

  it('sends every type, and numbers that JSON does not have', async () => {
    createInfo('build', 'B.', { requiredLabels: ['version'], registry }).labels({ version: '1' });
    createStateSet('light', 'L.', { states: ['on', 'off'], registry }).set('on');
    createGauge('nan', 'N.', { registry }).set(Number.NaN);
    createGauge('infinite', 'I.', { registry }).set(Number.NEGATIVE_INFINITY);
    const json = metricsOf(await exported({ format: 'json' }));
    const numbersOf = (name: string, field: string) =>
      (json[name]![field] as Data).dataPoints.map((p) => p.asDouble);
    assert.deepEqual(numbersOf('light', 'sum'), [1, 0]);
    assert.deepEqual([numbersOf('nan', 'gauge'), numbersOf('infinite', 'gauge')], [['NaN'], ['-Infinity']]);
    const protobuf = metricsOf(await exported());
    assert.deepEqual((protobuf.infinite!.gauge as Data).dataPoints[0]!.asDouble, Number.NEGATIVE_INFINITY);
  });

  it('splits many series into several requests, none of them lost', async () => {
    const gauge = createGauge('many', 'M.', { requiredLabels: ['id'], registry });
    for (let id = 0; id < 12_000; id++) gauge.labels({ id }).set(id);
    const pusher = await startOtlp({ url, registry, interval });
    await pusher.flush();
    assert.equal(requests.length, 3);
    const values = requests.flatMap(({ body }) =>
      (metricsOf(decode(body)).many!.gauge as Data).dataPoints.map(({ asDouble }) => asDouble as number),
    );
    assert.deepEqual(
      values.sort((a, b) => a - b),
      Array.from({ length: 12_000 }, (_, i) => i),
    );
    assert.equal(pusher.samples.sent, 12_000);
    await pusher.close();
  });

  it('is configured by the variables of OpenTelemetry, and options win', async () => {
    fill();
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = url.replace('/v1/metrics', '/base/');
    process.env.OTEL_EXPORTER_OTLP_HEADERS = 'x-key=a%20b,x-other=c';
    process.env.OTEL_EXPORTER_OTLP_COMPRESSION = 'gzip';
    process.env.OTEL_EXPORTER_OTLP_PROTOCOL = 'http/json';
    process.env.OTEL_RESOURCE_ATTRIBUTES = 'service.name=ignored,deployment.environment=test';
    process.env.OTEL_SERVICE_NAME = 'shop';
    const { resourceMetrics } = await exported({ url: undefined, resource: { team: 'red' } } as object);
    const attributes = resourceMetrics[0]!.resource.attributes!.map(({ key, value }) => [
      key,
      value.stringValue,
    ]);
    const { 'service.instance.id': instance, ...others } = Object.fromEntries(attributes);
    assert.match(instance!, /^[0-9a-f-]{36}$/);
    assert.deepEqual(others, {
      'service.name': 'shop',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'metheus',
      'deployment.environment': 'test',
      team: 'red',
    });
    const [first] = requests;
    assert.equal(first?.url, '/base/v1/metrics');
    assert.deepEqual([first?.headers['x-key'], first?.headers['x-other']], ['a b', 'c']);
    process.env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT = `${url}/exact`;
    await exported({ url: undefined, format: 'protobuf' } as object);
    assert.equal(requests.at(-1)?.url, '/v1/metrics/exact');
    assert.equal(requests.at(-1)?.headers['content-type'], 'application/x-protobuf');
  });

  it('does not read a variable that an option replaces', async () => {
    createCounter('replaced_total', 'R.', { registry }).inc();
    process.env.OTEL_EXPORTER_OTLP_PROTOCOL = 'grpc';
    process.env.OTEL_EXPORTER_OTLP_TIMEOUT = 'long';
    process.env.OTEL_METRIC_EXPORT_INTERVAL = '0';
    assert.ok(metricsOf(await exported({ format: 'json', timeout: 5, interval })).replaced);
  });

  it('tries again after 503, and not after 500', async () => {
    createCounter('retried_total', 'R.', { registry }).inc();
    answers = [
      [503, { 'Retry-After': '0' }, ''],
      [200, {}, ''],
      [500, {}, 'broken'],
    ];
    const pusher = await startOtlp({ url, registry, interval });
    await assert.rejects(pusher.flush(), { status: 503 });
    await pusher.flush().catch((error) => assert.equal(error.status, 500));
    await pusher.close();
    assert.deepEqual(pusher.samples, { sent: 2, dropped: 1, pending: 0 });
  });

  const accepted: readonly [string, 'json' | 'protobuf', Buffer, number][] = [
    ['nothing', 'json', Buffer.from(''), 0],
    ['an empty object', 'json', Buffer.from('{}'), 0],
    ['an empty part', 'json', Buffer.from('{"partialSuccess":{}}'), 0],
    [
      'refused points',
      'json',
      Buffer.from('{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"x"}}'),
      2,
    ],
    ['a text that is no JSON', 'json', Buffer.from('ok'), 0],
    ['nothing', 'protobuf', Buffer.from(''), 0],
    ['an empty part', 'protobuf', Buffer.from([0x0a, 0]), 0],
    ['refused points', 'protobuf', Buffer.from([0x0a, 5, 0x08, 2, 0x12, 1, 0x78]), 2],
    ['unknown fields', 'protobuf', Buffer.from([0x10, 1, 0x0a, 4, 0x18, 1, 0x08, 1]), 1],
    ['bytes that are no message', 'protobuf', Buffer.from([0x0a, 200]), 0],
  ];
  for (const [what, format, body, refused] of accepted) {
    it(`counts ${refused} refused points after an answer with ${what} as ${format}`, async () => {
      const gauge = createGauge('partial', 'P.', { requiredLabels: ['id'], registry });
      for (let id = 0; id < 3; id++) gauge.labels({ id }).set(id);
      answers = [[200, {}, body as unknown as string]];
      const pusher = await startOtlp({ url, registry, interval, format });
      await pusher.flush();
      assert.deepEqual(pusher.samples, { sent: 3 - refused, dropped: refused, pending: 0 });
      await pusher.close();
    });
  }

  it('is not disturbed by labels and units with the names of methods', async () => {
    const counter = createCounter('odd_total', 'O.', { registry });
    counter.inc(1, { constructor: 'x', trace_id: 'short' });
    createGauge('odd_valueOf', 'O.', { unit: 'valueOf', registry }).set(1);
    const metrics = metricsOf(await exported({ format: 'json' }));
    assert.equal(metrics.odd_valueOf?.unit, '{valueOf}');
    const [exemplar] = (metrics.odd!.sum as Data).dataPoints[0]!.exemplars as {
      filteredAttributes: unknown[];
    }[];
    assert.equal(exemplar?.filteredAttributes.length, 2);
  });

  const wrong: readonly [string, object, Record<string, string>?][] = [
    ['an unknown format', { format: 'grpc' }],
    ['a number as an attribute', { resource: { 'service.name': 1 } }],
    ['the protocol grpc', {}, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
    ['a timeout that is no number', {}, { OTEL_EXPORTER_OTLP_TIMEOUT: '10s' }],
    ['an unknown option', { endpoint: 'http://127.0.0.1' }],
  ];
  for (const [what, options, variables = {}] of wrong) {
    it(`is refused with ${what}`, async () => {
      Object.assign(process.env, variables);
      await assert.rejects(startOtlp(options as OtlpOptions), { code: 'METHEUS_INVALID_OPTIONS' });
    });
  }

  it('ignores a family without series', async () => {
    const empty = createFamily('empty', 'E.', { type: 'gauge', series: [] });
    const pusher = await startOtlp({ url, registry: { collect: async () => [empty] }, interval });
    await pusher.flush();
    await pusher.close();
    assert.equal(requests.length, 0);
  });
});

/** Returns a metric with its points in order, and without times, which differ between two exporters. */
function withoutTimes({ name, description, unit, ...data }: Metric): unknown {
  const [[kind, { dataPoints, ...rest }]] = Object.entries(data) as [[string, Data]];
  const points = dataPoints.map(({ startTimeUnixNano, timeUnixNano, flags, ...point }) => {
    const { attributes = [] } = point;
    return { ...point, attributes };
  });
  points.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  return { name, description, kind, points, ...rest };
}

/** Drops nothing but the fields of protobuf that JSON leaves out. */
function withoutEmpty(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Returns the counts of positive buckets by index, at a scale that is not finer. */
function countsAt(point: DataPoint, scale: number): Record<string, number> {
  const { offset = 0, bucketCounts } = point.positive as { offset?: number; bucketCounts: readonly string[] };
  const counts: Record<string, number> = {};
  for (const [i, count] of bucketCounts.entries()) {
    if (count === '0') continue;
    const index = (offset + i) >> ((point.scale as number) - scale);
    counts[index] = (counts[index] ?? 0) + Number(count);
  }
  return counts;
}
