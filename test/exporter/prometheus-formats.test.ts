/** A Prometheus server scrapes each text format, and stores the original numbers. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { FamilySnapshot } from 'metheus';
import { createMetricsHandler, negotiate } from 'metheus/http';
import { until } from '../support/processes.js';
import { type PrometheusServer, startPrometheus } from '../support/prometheus-server.js';
import { collectable, snapshot } from '../support/snapshots.js';
import { requireTool } from '../support/tools.js';

const FORMATS = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores',
  text: 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
};

/** Exemplars and samples are kept only when they are recent. */
const now = Math.floor(Date.now() / 1000) - 60;
const trace = (id: string, value: number) => ({ labels: { trace_id: id }, value, timestamp: now + 0.25 });

const families: FamilySnapshot[] = [
  snapshot('sent_bytes_total', {
    type: 'counter',
    unit: 'bytes',
    help: 'All "sent" \\ bytes.\nOnce.',
    labelNames: ['to'],
    rows: [
      {
        labels: { to: 'a "b" \\ c\n # {} 漢 😀' },
        cells: [7],
        created: now,
        // This version does not undo the escapes of an exemplar's labels, so there are none.
        exemplars: { 0: trace('} # {é,=', 3) },
      },
      { labels: { to: 'b' }, cells: [1e21] },
    ],
  }),
  snapshot('jobs', { type: 'counter', rows: [{ cells: [3] }] }),
  snapshot('foo', { type: 'gauge', rows: [{ cells: [1] }] }),
  snapshot('foo_total', { type: 'counter', rows: [{ cells: [2] }] }),
  snapshot('level', {
    type: 'gauge',
    labelNames: ['n'],
    rows: [Number.NaN, 1 / 0, -1 / 0, -0, 5e-324, -1.5].map((value, n) => ({
      labels: { n: String(n) },
      cells: [value],
    })),
  }),
  snapshot('timed', { type: 'gauge', rows: [{ cells: [4], timestamp: now + 30.125 }] }),
  snapshot('wait_seconds', {
    type: 'histogram',
    unit: 'seconds',
    bounds: [1e-5, 1, 1e6],
    rows: [{ cells: [1, 2, 3, 4, 5.5], created: now, exemplars: { 1: trace('bucket', 0.5) } }],
  }),
  snapshot('delta', { type: 'histogram', bounds: [-1], rows: [{ cells: [1, 2, 3] }] }),
  snapshot('size', {
    type: 'summary',
    bounds: [0.5, 1],
    rows: [{ cells: [10, 4], quantiles: [2, Number.NaN], created: now }],
  }),
  snapshot('build_info', {
    type: 'info',
    labelNames: ['version'],
    rows: [{ labels: { version: '1' }, cells: [1] }],
  }),
  snapshot('state', {
    type: 'stateset',
    labelNames: ['state'],
    rows: [
      { labels: { state: 'up' }, cells: [1] },
      { labels: { state: 'down' }, cells: [0] },
    ],
  }),
  snapshot('age', { type: 'gaugehistogram', bounds: [1], rows: [{ cells: [2, 1, 4.5] }] }),
  snapshot('odd.name', {
    type: 'unknown',
    labelNames: ['a.b', 'a_b'],
    rows: [{ labels: { 'a.b': 'x', a_b: 'y' }, cells: [8] }],
  }),
  snapshot('odd_name', { type: 'gauge', rows: [{ cells: [9] }] }),
];

for (const [format, contentType] of Object.entries(FORMATS)) {
  describe(`a Prometheus server that scrapes ${format}`, { skip: requireTool('prometheus') }, () => {
    let ours: Server;
    let prometheus: PrometheusServer;
    const isOpenMetrics = format === 'openmetrics';
    /** The last `Accept` header of the server. */
    let accept: string | undefined;

    before(async () => {
      const handler = createMetricsHandler({ registry: collectable(...families), created: true });
      ours = createServer((request, response) => {
        // This version requests OpenMetrics first, whatever its configuration.
        if (!isOpenMetrics) request.headers.accept = 'text/plain;version=0.0.4';
        accept = request.headers.accept;
        handler(request, response);
      });
      await new Promise<void>((resolve) => ours.listen(0, '127.0.0.1', resolve));
      prometheus = await startPrometheus(`127.0.0.1:${(ours.address() as AddressInfo).port}`);
      await until('a scrape that went well', async () =>
        (await prometheus.lastError()) === '' ? true : undefined,
      );
    });
    after(async () => {
      await prometheus?.stop();
      ours?.closeAllConnections();
      await new Promise((resolve) => ours?.close(resolve));
    });

    /** The series of a metric as text with their value, without the labels that every scrape adds. */
    async function stored(selector: string): Promise<Record<string, number>> {
      const found = await prometheus.query(selector);
      return Object.fromEntries(
        found.map(({ labels: { __name__, instance, job, ...own }, value }) => {
          const pairs = Object.entries(own).sort();
          return [pairs.map(([name, text]) => `${name}=${text}`).join(), value];
        }),
      );
    }

    it('requests that format', () => {
      assert.equal(negotiate(accept).contentType, contentType);
    });

    it('has every value', async () => {
      const all: Readonly<Record<string, Readonly<Record<string, number>>>> = {
        sent_bytes_total: { 'to=a "b" \\ c\n # {} 漢 😀': 7, 'to=b': 1e21 },
        jobs: { '': 3 },
        foo: { '': 1 },
        foo_total: { '': 2 },
        level: {
          ...{ 'n=0': Number.NaN, 'n=1': 1 / 0, 'n=2': -1 / 0 },
          ...{ 'n=3': -0, 'n=4': 5e-324, 'n=5': -1.5 },
        },
        timed: { '': 4 },
        'timestamp(timed)': { '': now + 30.125 },
        wait_seconds_bucket: {
          'le=1e-05': 1,
          [isOpenMetrics ? 'le=1.0' : 'le=1']: 3,
          ...{ 'le=1e+06': 6, 'le=+Inf': 10 },
        },
        wait_seconds_sum: { '': 5.5 },
        wait_seconds_count: { '': 10 },
        delta_bucket: { [isOpenMetrics ? 'le=-1.0' : 'le=-1']: 1, 'le=+Inf': 3 },
        delta_count: isOpenMetrics ? {} : { '': 3 },
        size: { 'quantile=0.5': 2, [isOpenMetrics ? 'quantile=1.0' : 'quantile=1']: Number.NaN },
        size_sum: { '': 10 },
        size_count: { '': 4 },
        build_info: { 'version=1': 1 },
        state: { 'state=up': 1, 'state=down': 0 },
        age_bucket: { [isOpenMetrics ? 'le=1.0' : 'le=1']: 2, 'le=+Inf': 3 },
        [isOpenMetrics ? 'age_gcount' : 'age_count']: { '': 3 },
        [isOpenMetrics ? 'age_gsum' : 'age_sum']: { '': 4.5 },
        U__odd_2e_name: { 'U__a_2e_b=x,a_b=y': 8 },
        odd_name: { '': 9 },
        sent_bytes_created: isOpenMetrics ? { 'to=a "b" \\ c\n # {} 漢 😀': now } : {},
        size_created: isOpenMetrics ? { '': now } : {},
      };
      for (const [selector, expected] of Object.entries(all)) {
        // A scrape whose time runs out, on a slow machine, takes everything away until the next.
        let found: Readonly<Record<string, number>> = {};
        const look = async () => {
          found = await stored(selector);
          return isDeepStrictEqual(found, expected) || undefined;
        };
        await until(selector, look).catch(() => {});
        assert.deepEqual(found, expected, selector);
      }
    });

    it('has types, help and units', async () => {
      const types: Readonly<Record<string, string>> = isOpenMetrics
        ? {
            ...{ sent_bytes: 'counter', jobs: 'unknown', foo_total: 'unknown', foo: 'gauge' },
            ...{ wait_seconds: 'histogram', size: 'summary', build: 'info', state: 'stateset' },
            ...{ age: 'gaugehistogram' },
          }
        : {
            ...{ sent_bytes_total: 'counter', jobs: 'counter', foo_total: 'counter', foo: 'gauge' },
            ...{ wait_seconds: 'histogram', size: 'summary', build_info: 'gauge', state: 'gauge' },
            ...{ age: 'histogram' },
          };
      for (const [name, type] of Object.entries(types)) {
        assert.equal((await prometheus.metadata(name))?.type, type, name);
      }
      const sent = await prometheus.metadata(isOpenMetrics ? 'sent_bytes' : 'sent_bytes_total');
      assert.equal(sent?.help, 'All "sent" \\ bytes.\nOnce.');
      assert.equal(sent?.unit, isOpenMetrics ? 'bytes' : '');
    });

    it('has exemplars, where the format has them', async () => {
      const found = await prometheus.exemplars('{__name__=~"sent_bytes_total|wait_seconds_bucket"}');
      const shown = found.map(({ series, labels, value, timestamp }) => [
        [series.__name__, series.to ?? series.le],
        labels,
        [value, timestamp],
      ]);
      const expected = [
        [['sent_bytes_total', 'a "b" \\ c\n # {} 漢 😀'], { trace_id: '} # {é,=' }, [3, now + 0.25]],
        [['wait_seconds_bucket', '1.0'], { trace_id: 'bucket' }, [0.5, now + 0.25]],
      ];
      assert.deepEqual(shown, isOpenMetrics ? expected : []);
    });
  });
}
