/**
 * Unknown options: every function and class that takes options refuses a name that it does not know, in JavaScript too,
 * and suggests the one that was probably meant.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  createInfo,
  createStateSet,
  createSummary,
  generateBytes,
  generateMetrics,
  loadBackend,
  SingleProcessBackend,
  streamMetrics,
} from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { createFetchHandler, createMetricsHandler, startMetricsServer } from 'metheus/http';
import { parseMetrics } from 'metheus/parse';
import { createTqdm, formatMeter, TqdmPromProxy, tqdm } from 'metheus/progress';
import { Pushgateway, startOtlp, startRemoteWrite } from 'metheus/push';

/** A function with options: called with `given` beside the options that it needs. */
type Call = (given: never) => unknown;

const series = [{ value: 1 }];
const states = ['on', 'off'];
const meter = { n: 1, elapsed: 1 };
const registry = new CollectorRegistry();
const work = async () => {};
const bar = () => tqdm(null, { disable: true });

/** Each function with options that it has not, and the option that the error suggests, if any. */
const CALLS: Readonly<
  Record<string, readonly [call: Call, wrong: Readonly<Record<string, string | undefined>>]>
> = {
  createCounter: [
    (given: object) => createCounter('counter_total', 'A.', { registry, ...given }),
    {
      requiredLabel: 'requiredLabels',
      required_labels: 'requiredLabels',
      requiredlabels: 'requiredLabels',
      labelNames: 'requiredLabels',
      labels: 'requiredLabels',
      registers: 'registry',
      defaultLables: 'defaultLabels',
      maxseries: 'maxSeries',
      exemplar: 'exemplars',
      enableExemplars: 'exemplars',
      buckets: undefined,
      nonsense: undefined,
      constructor: undefined,
      '': undefined,
    },
  ],
  createGauge: [
    (given: object) => createGauge('gauge', 'A.', { registry, ...given }),
    {
      multiprocess_mode: 'multiprocessMode',
      multiProcessMode: 'multiprocessMode',
      aggregator: 'multiprocessMode',
      exemplars: undefined,
    },
  ],
  createHistogram: [
    (given: object) => createHistogram('histogram', 'A.', { registry, ...given }),
    { bucket: 'buckets', quantiles: undefined },
  ],
  'createHistogram: native': [
    (native: object) => createHistogram('native', 'A.', { registry, native }),
    { maxBucket: 'maxBuckets', zerothreshold: 'zeroThreshold', growthFactor: 'factor' },
  ],
  createSummary: [
    (given: object) => createSummary('summary', 'A.', { registry, ...given }),
    { percentiles: 'quantiles', maxAgeSeconds: 'maxAge', compressCount: undefined },
  ],
  createInfo: [(given: object) => createInfo('info', 'A.', { registry, ...given }), { unit: undefined }],
  createStateSet: [
    (given: object) => createStateSet('stateset', 'A.', { registry, states, ...given }),
    { state: 'states', maxSeries: undefined },
  ],
  createFamily: [
    (given: object) => createFamily('a', 'A.', { series, ...given }),
    { labelnames: 'labelNames', kind: undefined },
  ],
  CollectorRegistry: [(given: object) => new CollectorRegistry(given), { prefx: 'prefix', label: undefined }],
  generateMetrics: [(given: object) => generateMetrics(registry, given), { fromat: 'format' }],
  generateBytes: [(given: object) => generateBytes(registry, given), { create: 'created' }],
  streamMetrics: [(given: object) => streamMetrics(registry, given).next(), { escape: 'escaping' }],
  startMetricsServer: [
    (given: object) => startMetricsServer({ port: 0, ...given }),
    { httpPort: 'port', hostname: 'host', endpoint: 'path', timeout: 'closeTimeout', authentication: 'auth' },
  ],
  createMetricsHandler: [createMetricsHandler as Call, { compression: 'compress', port: undefined }],
  createFetchHandler: [createFetchHandler as Call, { Registry: 'registry' }],
  Pushgateway: [
    (given: object) => new Pushgateway({ url: 'http://127.0.0.1:9', job: 'j', ...given }),
    { jobName: 'job', groupings: 'grouping', header: 'headers' },
  ],
  startRemoteWrite: [
    (given: object) => startRemoteWrite({ url: 'http://127.0.0.1:9', labels: { job: 'j' }, ...given }),
    { label: 'labels', intervall: 'interval' },
  ],
  startOtlp: [startOtlp as Call, { resources: 'resource', Format: 'format' }],
  parseMetrics: [(given: object) => parseMetrics('', given), { formats: 'format' }],
  loadBackend: [
    (given: object) => loadBackend({ backendConfig: {}, ...given }),
    { backend_class: 'backendClass', backendClas: 'backendClass', config: 'backendConfig' },
  ],
  SingleProcessBackend: [
    (config: object) => loadBackend(SingleProcessBackend, config as never),
    { directory: undefined },
  ],
  MultiProcessFileBackend: [
    (given: object) => new MultiProcessFileBackend({ directory: '/nowhere', ...given }),
    { dir: 'directory', path: 'directory', readonly: 'readOnly', Directory: 'directory' },
  ],
  MultiProcessRedisBackend: [
    (given: object) => new MultiProcessRedisBackend(given),
    { key_prefix: 'keyPrefix', expire_key_time: 'expireKeyTime', pasword: 'password', sentinels: undefined },
  ],
  TqdmPromProxy: [
    (given: object) => new TqdmPromProxy(given),
    { http_host: 'httpHost', port: 'httpPort', bucketFunction: 'bucketFunc' },
  ],
  tqdm: [
    (given: object) => tqdm(3, { disable: true, ...given }),
    { unit_scale: 'unitScale', color: 'colour', description: 'desc', colr: 'colour', nonsense: undefined },
  ],
  'tqdm.map': [(given: object) => tqdm.map([], work, given), { concurency: 'concurrency', descr: 'desc' }],
  'tqdm.write': [(given: object) => tqdm.write('', { end: '', ...given }), { fil: 'file' }],
  createTqdm: [createTqdm as Call, { stdErr: 'stderr' }],
  formatMeter: [
    (given: object) => formatMeter({ ...meter, ...given }),
    { bar_format: 'barFormat', desc: undefined },
  ],
  'bar.stream': [(given: object) => bar().stream(given), { highWatermark: 'highWaterMark' }],
  'bar.webStream': [(given: object) => bar().webStream(given), { keep_open: 'keepOpen' }],
};

/** Returns the error of a call, thrown or rejected. */
async function errorOf(call: Call, given: unknown): Promise<Error & { code?: string }> {
  try {
    await call(given as never);
  } catch (error) {
    return error as Error;
  }
  assert.fail('the call was accepted');
}

describe('options that are not an object', () => {
  const functions: Readonly<Record<string, Call>> = {
    startMetricsServer: startMetricsServer as Call,
    createMetricsHandler: createMetricsHandler as Call,
    CollectorRegistry: (given) => new CollectorRegistry(given),
    generateMetrics: (given) => generateMetrics(registry, given),
    createGauge: (given) => createGauge('gauge', 'A.', given),
    MultiProcessFileBackend: (given) => new MultiProcessFileBackend(given),
    MultiProcessRedisBackend: (given) => new MultiProcessRedisBackend(given),
    TqdmPromProxy: (given) => new TqdmPromProxy(given),
    tqdm: (given) => tqdm(3, given),
    formatMeter: (given) => formatMeter(given),
  };
  for (const [name, call] of Object.entries(functions)) {
    it(`are an error of ${name}, which lists the options`, async () => {
      for (const given of [3456, 'text', null, ['a'], () => {}]) {
        const { code, message } = await errorOf(call, given);
        assert.match(String(code), /^METHEUS_INVALID_(BAR_OPTION|OPTIONS)$/, message);
        assert.match(message, /expected an object with the options \w+/);
      }
    });
  }

  it('name the port of a server that was given as a number', async () => {
    const { message } = await errorOf(startMetricsServer as Call, 3456);
    assert.match(message, /^Invalid options: given 3456 as options of a metrics server, .*\bport\b/);
  });

  it('are an error in place of a registry', async () => {
    const { code, message } = await errorOf((given) => generateMetrics(given), { format: 'openmetrics' });
    assert.equal(code, 'METHEUS_INVALID_COLLECTOR');
    assert.match(message, /Options are the second argument/);
  });
});

describe('an unknown option', () => {
  for (const [name, [call, wrong]] of Object.entries(CALLS)) {
    it(`of ${name} is an error that names it and the nearest right one`, async () => {
      const made = (await call({} as never)) as { close?(): unknown } | undefined;
      await made?.close?.();
      for (const [option, nearest] of Object.entries(wrong)) {
        const { code, message } = await errorOf(call, { [option]: undefined });
        assert.match(String(code), /^METHEUS_INVALID_(BAR_OPTION|OPTIONS)$/, option);
        assert.ok(message.includes(`the unknown option '${option}' of `), message);
        const suggested = /\. Write (\w+)\./.exec(message)?.[1];
        assert.equal(suggested, nearest, message);
        if (nearest === undefined) continue;
        const [, known = ''] = /expected one of (.*?)\. Write/.exec(message) ?? [];
        assert.ok(known.split(', ').includes(nearest), message);
      }
    });
  }
});
