/** The format protobuf, read with the reader of another package. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  generateBytes,
  generateMetrics,
  streamMetrics,
} from 'metheus';
import { encodeProtobuf } from '#metheus/exposition/protobuf/encode.js';
import type { FamilySnapshot, NativeBuckets, PowerBuckets } from '#metheus/model/family.js';
import { LabelColumn } from '#metheus/model/label-column.js';
import { type Message, readFamilies } from '../../support/protobuf.js';

function encode(...families: FamilySnapshot[]): Message[] {
  const chunks = [...encodeProtobuf(families, { escaping: 'allow-utf-8', created: true })];
  return readFamilies(Buffer.concat(chunks));
}

/** The only metric of a family. */
function metricOf(family: FamilySnapshot): Message {
  const [read] = encode(family) as { metric: Message[] }[];
  return read!.metric[0]!;
}

const family = (type: 'counter' | 'gauge' | 'unknown', name = 'a_b') =>
  createFamily(name, 'Some "help" \\ of\ntwo lines. 漢', {
    type,
    labelNames: ['x', 'y'],
    series: [
      { labels: { x: 'quote " backslash \\ line\nfeed', y: '' }, value: 1.5 },
      { labels: { x: '漢😀 {},=', y: 'v'.repeat(300) }, value: Number.POSITIVE_INFINITY },
    ],
  });

function histogramOf(cells: readonly number[], buckets: readonly number[]): FamilySnapshot {
  return createFamily('h', '', { type: 'histogram', buckets, series: [{ value: cells }] });
}

const NONE: PowerBuckets = { index: new Int32Array(), counts: new Float64Array() };
const power = (buckets: Readonly<Record<number, number>>): PowerBuckets => {
  const index = Int32Array.from(Object.keys(buckets).map(Number)).sort();
  return { index, counts: Float64Array.from(index, (bucket) => buckets[bucket]!) };
};
const EMPTY: NativeBuckets = {
  schema: 3,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 0,
  positive: NONE,
  negative: NONE,
};

function nativeOf(buckets: NativeBuckets, cells: readonly number[] = [buckets.count, 0]): Message {
  const base = createFamily('h', '', { type: 'histogram', buckets: [1], series: [{ value: [0, 0, 0] }] });
  const described = { ...base.family, bounds: [], cells: 2 };
  const snapshot = { ...base, family: described, values: Float64Array.from(cells), native: [buckets] };
  return metricOf(snapshot).histogram as Message;
}

describe('encodeProtobuf', () => {
  it('writes counters, gauges and untyped metrics with every label value', () => {
    const types = { counter: 0, gauge: 1, unknown: 3 };
    for (const [type, number] of Object.entries(types)) {
      const message = type === 'unknown' ? 'untyped' : type;
      assert.deepEqual(encode(family(type as 'counter')), [
        {
          name: 'a_b',
          help: 'Some "help" \\ of\ntwo lines. 漢',
          type: number,
          metric: [
            {
              label: [
                { name: 'x', value: 'quote " backslash \\ line\nfeed' },
                { name: 'y', value: '' },
              ],
              [message]: { value: 1.5 },
            },
            {
              label: [
                { name: 'x', value: '漢😀 {},=' },
                { name: 'y', value: 'v'.repeat(300) },
              ],
              [message]: { value: Number.POSITIVE_INFINITY },
            },
          ],
        },
      ]);
    }
  });

  it('writes a unit only where the name ends with it', () => {
    const withUnit = (name: string, unit: string, type: 'counter' | 'gauge') =>
      encode(createFamily(name, '', { type, unit, series: [{ value: 1 }] }))[0]?.unit;
    assert.equal(withUnit('a_seconds', 'seconds', 'gauge'), 'seconds');
    assert.equal(withUnit('a_seconds_total', 'seconds', 'counter'), 'seconds');
    assert.equal(withUnit('a', 'seconds', 'gauge'), undefined);
  });

  it('omits families without series', () => {
    assert.deepEqual(encode(createFamily('a', '', { series: [] })), []);
  });

  it('writes histograms with cumulative buckets, the last one only for its exemplar', () => {
    const base = histogramOf([1, 0, 2, 3, 7.5], [0.1, 1, 10]);
    assert.deepEqual(metricOf(base), {
      histogram: {
        sample_count: 6,
        sample_sum: 7.5,
        bucket: [
          { cumulative_count: 1, upper_bound: 0.1 },
          { cumulative_count: 1, upper_bound: 1 },
          { cumulative_count: 3, upper_bound: 10 },
        ],
      },
    });
    const exemplars = new Map([
      [1, { labels: { trace_id: 'a', 'span.id': '漢' }, value: 0.5, timestamp: 1700000000.25 }],
      [3, { labels: {}, value: 99 }],
    ]);
    const { bucket } = metricOf({ ...base, exemplars }).histogram as { bucket: Message[] };
    assert.deepEqual(bucket[1]?.exemplar, {
      label: [
        { name: 'trace_id', value: 'a' },
        { name: 'span.id', value: '漢' },
      ],
      value: 0.5,
      timestamp: { seconds: 1700000000, nanos: 250_000_000 },
    });
    assert.deepEqual(bucket[3], {
      cumulative_count: 6,
      upper_bound: Number.POSITIVE_INFINITY,
      exemplar: { value: 99 },
    });
  });

  it('writes counts beyond 32 and 53 bits, and fractions', () => {
    const large = metricOf(histogramOf([2 ** 32, 2 ** 62, 0], [1])).histogram as Message;
    assert.equal((large.bucket as Message[])[0]?.cumulative_count, 2 ** 32);
    assert.equal(large.sample_count, 2n ** 62n + 2n ** 32n);
    const floats = metricOf(histogramOf([0.5, 1, 0], [1])).histogram as Message;
    assert.deepEqual(floats, {
      sample_count_float: 1.5,
      sample_sum: 0,
      bucket: [{ cumulative_count_float: 0.5, upper_bound: 1 }],
    });
  });

  it('writes summaries with quantiles, creation times, timestamps and exemplars', () => {
    const base = createFamily('s', '', { type: 'summary', series: [{ value: [12.5, 5] }] });
    const bounds = [0.5, 0.99];
    const summary = {
      ...base,
      family: { ...base.family, bounds },
      quantiles: Float64Array.of(2, Number.NaN),
      created: Float64Array.of(1700000000.5),
      timestamps: Float64Array.of(1700000001.25),
    };
    assert.deepEqual(metricOf(summary), {
      summary: {
        sample_count: 5,
        sample_sum: 12.5,
        quantile: [
          { quantile: 0.5, value: 2 },
          { quantile: 0.99, value: Number.NaN },
        ],
        created_timestamp: { seconds: 1700000000, nanos: 500_000_000 },
      },
      timestamp_ms: 1700000001250,
    });
    const counter = createFamily('c_total', '', { type: 'counter', series: [{ value: 3 }] });
    const exemplars = new Map([[0, { labels: { id: '7' }, value: 1, timestamp: -0.25 }]]);
    assert.deepEqual(metricOf({ ...counter, exemplars, created: Float64Array.of(1e9) }).counter, {
      value: 3,
      exemplar: {
        label: [{ name: 'id', value: '7' }],
        value: 1,
        timestamp: { seconds: -1, nanos: 750_000_000 },
      },
      created_timestamp: { seconds: 1e9, nanos: 0 },
    });
  });

  it('writes the exemplar of a counter whose name has no `_total`, which OpenMetrics cannot', () => {
    const exemplar = { labels: { id: '7' }, value: 1, timestamp: 2 };
    const counter = createFamily('jobs', '', { type: 'counter', series: [{ value: 3, exemplar }] });
    assert.deepEqual(metricOf(counter).counter, {
      value: 3,
      exemplar: { label: [{ name: 'id', value: '7' }], value: 1, timestamp: { seconds: 2, nanos: 0 } },
    });
  });

  it('writes the creation time of a counter without exemplars and timestamps', () => {
    const base = createFamily('c_total', '', { type: 'counter', series: [{ value: 3 }] });
    const created = (seconds: number) =>
      (metricOf({ ...base, created: Float64Array.of(seconds) }).counter as Message).created_timestamp;
    assert.deepEqual(created(1700000000.25), { seconds: 1700000000, nanos: 250_000_000 });
    assert.deepEqual(created(1700000000), { seconds: 1700000000, nanos: 0 });
    assert.deepEqual(created(2 ** 40), { seconds: 2 ** 40, nanos: 0 });
    assert.equal(created(0), undefined);
  });

  it('escapes names of metrics and labels by the given scheme', () => {
    const base = family('gauge');
    const renamed = { ...base, family: { ...base.family, name: 'http.requests' } };
    const [read] = readFamilies(
      Buffer.concat([...encodeProtobuf([renamed], { escaping: 'underscores', created: false })]),
    );
    assert.equal(read?.name, 'http_requests');
    assert.equal(encode(renamed)[0]?.name, 'http.requests');
    const labelled = createFamily('a', '', {
      labelNames: ['b.c', 'a="b"'],
      utf8Names: true,
      series: [{ labels: { 'b.c': '1', 'a="b"': '2' }, value: 1 }],
    });
    const labelNames = (escaping: 'underscores' | 'allow-utf-8') => {
      const bytes = Buffer.concat([...encodeProtobuf([labelled], { escaping, created: false })]);
      const [one] = readFamilies(bytes) as { metric: { label: { name: string }[] }[] }[];
      return one!.metric[0]!.label.map(({ name }) => name);
    };
    assert.deepEqual(labelNames('allow-utf-8'), ['b.c', 'a="b"']);
    assert.deepEqual(labelNames('underscores'), ['b_c', 'a__b_']);
  });

  it('writes the same bytes for large families, in chunks', async () => {
    const registry = new CollectorRegistry();
    const labels = { requiredLabels: ['id', 'text'], registry };
    const counter = createCounter('c_total', 'c', labels);
    const histogram = createHistogram('h', 'h', { ...labels, buckets: [1, 2] });
    for (let id = 0; id < 6000; id++) {
      const text = id % 7 === 0 ? 'line\nfeed "\\' : 'x'.repeat(id % 150);
      counter.labels({ id, text }).inc(id);
      histogram.labels({ id, text }).observe(id % 3);
    }
    counter.remove({ id: 14, text: 'line\nfeed "\\' });
    const chunks: Uint8Array[] = [];
    for await (const chunk of streamMetrics(registry, { format: 'protobuf' })) chunks.push(chunk);
    assert.ok(chunks.length > 10);
    assert.ok(chunks.every(({ length }) => length > 0 && length < 2 ** 17));
    const [counters, histograms] = readFamilies(Buffer.concat(chunks)) as { metric: Message[] }[];
    assert.equal(counters?.metric.length, 5999);
    assert.equal(histograms?.metric.length, 6000);
    const { label, counter: last } = counters!.metric.at(-1)!;
    assert.deepEqual(label, [
      { name: 'id', value: '5999' },
      { name: 'text', value: 'line\nfeed "\\' },
    ]);
    assert.equal((last as Message).value, 5999);
  });
});

describe('the labels of series', () => {
  /** Label values: short, around the lengths at which a varint takes a byte more, with escapes, and not ASCII. */
  const value = fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.integer({ min: 100, max: 300 }).map((length) => 'v'.repeat(length)),
    fc.constantFrom('', '"', '\\', '\n', 'a"b\\c\nd', '漢'.repeat(43), '😀'),
  );

  it('are the same in every scrape, while series come and go', async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'scrape'), value, value), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const registry = new CollectorRegistry();
        const gauge = createGauge('g', '', { requiredLabels: ['a', 'b'], registry });
        const set = new Map<string, string[]>();
        for (const [step, a, b] of [...given, ['scrape'] as const, ['scrape'] as const]) {
          const key = JSON.stringify([a, b]);
          if (step === 'add') {
            gauge.labels({ a: a!, b: b! }).set(1);
            set.set(key, [a!, b!]);
          } else if (step === 'remove') {
            gauge.remove({ a: a! });
            for (const [known, labels] of set) if (labels[0] === a) set.delete(known);
          } else {
            const [read] = readFamilies(await generateBytes(registry, { format: 'protobuf' }));
            const metrics = ((read?.metric ?? []) as { label: { name: string; value: string }[] }[]).map(
              ({ label }) => label.map((one) => [one.name, one.value]),
            );
            const expected = [...set.values()].map(([one, other]) => [
              ['a', one],
              ['b', other],
            ]);
            assert.deepEqual(metrics.map(String).sort(), expected.map(String).sort());
          }
        }
      }),
      { seed: 2062, numRuns: 100 },
    );
  });

  it('may have other names in each series', () => {
    const base = family('gauge');
    const texts = ['x="1"', 'x="2",y="3"', '', 'y="4"', 'long_name="5",x="6"', 'x="7"'];
    const rows = new LabelColumn();
    for (const text of texts) rows.add(text);
    const values = new Float64Array(2 * texts.length);
    for (let scrapes = 0; scrapes < 2; scrapes++) {
      const [read] = encode({ ...base, rows: rows.view(), values }) as { metric: { label?: Message[] }[] }[];
      const written = read!.metric.map(({ label = [] }) =>
        label.map(({ name, value }) => `${name}="${value}"`).join(),
      );
      assert.deepEqual(written, texts);
    }
  });

  it('are right in two scrapes at the same time, between which series were removed', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', '', { requiredLabels: ['id'], registry });
    for (let id = 0; id < 5000; id++) counter.labels({ id: 'x'.repeat(id % 100) + id }).inc(id);
    const first = [...(await registry.collect())];
    for (let id = 0; id < 5000; id += 3) counter.remove({ id: 'x'.repeat(id % 100) + id });
    for (let id = 0; id < 500; id++) counter.labels({ id: `new${id}` }).inc();
    const second = [...(await registry.collect())];
    const options = { escaping: 'allow-utf-8', created: true } as const;
    const encoders = [encodeProtobuf(first, options), encodeProtobuf(second, options)] as const;
    const chunks: Uint8Array[][] = [[], []];
    for (let running = 2; running > 0; ) {
      running = 0;
      for (const [i, encoder] of encoders.entries()) {
        const { value, done } = encoder.next();
        if (done) continue;
        running += 1;
        chunks[i]!.push(value);
      }
    }
    const lengths = chunks.map((all) => (readFamilies(Buffer.concat(all))[0]!.metric as Message[]).length);
    assert.deepEqual(lengths, [5000, 5000 - 1667 + 500]);
  });
});

describe('generateMetrics', () => {
  it('rejects protobuf, which is not text', async () => {
    await assert.rejects(generateMetrics(new CollectorRegistry(), { format: 'protobuf' }), {
      code: 'METHEUS_UNKNOWN_FORMAT',
      message:
        "Unknown format: given 'protobuf', expected 'text' or 'openmetrics' for a string. Use generateBytes.",
    });
  });
});

describe('a bucket whose count is NaN', () => {
  it('is not written, since the series does not have it', () => {
    const known = histogramOf([1, 2, 3, 9], [1, 2]);
    const missing = { ...known, values: Float64Array.of(Number.NaN, 2, 3, 9) };
    assert.deepEqual(metricOf(missing).histogram, {
      sample_count: 5,
      sample_sum: 9,
      bucket: [{ cumulative_count: 2, upper_bound: 2 }],
    });
  });
});

describe('native histograms in protobuf', () => {
  it('have spans, filled where the gap is short, and deltas', () => {
    const positive = power({ [-3]: 5, [-2]: 1, 1: 4, 2: 2 ** 40, 6: 1 });
    const count = 11 + 2 ** 40 + 2 + 3;
    const histogram = nativeOf({
      ...EMPTY,
      schema: -4,
      zeroThreshold: 2 ** -128,
      zeroCount: 2,
      count,
      positive,
      negative: power({ 0: 3 }),
    });
    assert.deepEqual(histogram, {
      sample_count: count,
      sample_sum: 0,
      schema: -4,
      zero_threshold: 2 ** -128,
      zero_count: 2,
      negative_span: [{ offset: 0, length: 1 }],
      negative_delta: [3],
      positive_span: [
        { offset: -3, length: 6 },
        { offset: 3, length: 1 },
      ],
      positive_delta: [5, -4, -1, 0, 4, 2 ** 40 - 4, 1 - 2 ** 40],
    });
  });

  it('are read from spans and deltas with any gaps', () => {
    const buckets = fc.dictionary(
      fc.integer({ min: -40, max: 40 }).map(String),
      fc.integer({ min: 1, max: 9 }),
    );
    fc.assert(
      fc.property(buckets, buckets, fc.boolean(), (above, below, whole) => {
        const by = whole ? 1 : 0.5;
        const scaled = (all: Record<string, number>) =>
          power(Object.fromEntries(Object.entries(all).map(([index, count]) => [index, count * by])));
        const [positive, negative] = [scaled(above), scaled(below)];
        const count = [...positive.counts, ...negative.counts].reduce((a, b) => a + b, 0);
        const read = nativeOf({ ...EMPTY, zeroThreshold: 1, count, positive, negative }) as Message;
        for (const [sign, { index, counts }] of Object.entries({ positive, negative })) {
          const spans = (read[`${sign}_span`] ?? []) as { offset: number; length: number }[];
          const deltas = read[`${sign}_delta`] as number[] | undefined;
          const numbers = deltas ?? ((read[`${sign}_count`] ?? []) as number[]);
          const found: [number, number][] = [];
          let [at, sum, next] = [0, 0, 0];
          for (const { offset, length } of spans) {
            at += offset;
            for (let end = at + length; at < end; at++, next++) {
              sum = deltas === undefined ? numbers[next]! : sum + numbers[next]!;
              if (sum !== 0) found.push([at, sum]);
            }
          }
          assert.equal(next, numbers.length);
          const expected = Array.from(index, (bucket, i) => [bucket, counts[i]]);
          assert.deepEqual(found, expected);
        }
      }),
      { seed: 2061, numRuns: 500 },
    );
  });

  it('differ from classic ones while they are empty', () => {
    assert.deepEqual(nativeOf(EMPTY), {
      sample_count: 0,
      sample_sum: 0,
      schema: 3,
      zero_threshold: 2 ** -128,
      zero_count: 0,
      positive_span: [{ offset: 0, length: 0 }],
    });
  });

  it('have floats where counts are fractions', () => {
    const histogram = nativeOf({ ...EMPTY, count: 2.5, zeroCount: 1, positive: power({ 1: 1.5 }) });
    assert.deepEqual(histogram, {
      sample_count_float: 2.5,
      sample_sum: 0,
      schema: 3,
      zero_threshold: 0,
      zero_count_float: 1,
      positive_span: [{ offset: 1, length: 1 }],
      positive_count: [1.5],
    });
  });

  it('have the exemplars that have a timestamp', () => {
    const base = histogramOf([1, 1, 3], [1]);
    const exemplars = new Map([
      [0, { labels: {}, value: 0.5 }],
      [1, { labels: {}, value: 2.5, timestamp: 1 }],
    ]);
    const native = [{ ...EMPTY, count: 2, positive: power({ [-7]: 1, 11: 1 }) }];
    const { exemplars: read, bucket } = metricOf({ ...base, exemplars, native }).histogram as Message;
    assert.deepEqual(read, [{ value: 2.5, timestamp: { seconds: 1, nanos: 0 } }]);
    assert.equal((bucket as Message[]).length, 2);
  });

  it('have the exemplars of their native buckets, in place of those of classic buckets', () => {
    const base = histogramOf([1, 1, 3], [1]);
    const exemplars = new Map([[0, { labels: { id: 'classic' }, value: 0.5, timestamp: 1 }]]);
    const own = [-1, 2.5].map((one) => ({ labels: { id: `n${one}`, text: '漢' }, value: one, timestamp: 2 }));
    const native = [{ ...EMPTY, count: 2, positive: power({ [-7]: 1, 11: 1 }), exemplars: own }];
    const read = metricOf({ ...base, exemplars, native }).histogram as Message;
    const label = (id: string) => [
      { name: 'id', value: id },
      { name: 'text', value: '漢' },
    ];
    assert.deepEqual(read.exemplars, [
      { label: label('n-1'), value: -1, timestamp: { seconds: 2, nanos: 0 } },
      { label: label('n2.5'), value: 2.5, timestamp: { seconds: 2, nanos: 0 } },
    ]);
    assert.equal((read.bucket as { exemplar: { value: number } }[])[0]!.exemplar.value, 0.5);
  });

  it('fit into chunks with exemplars of any size', () => {
    const label = { name: 'x'.repeat(20_000) };
    const one = { labels: label, value: 1, timestamp: 1 };
    const rows = new LabelColumn();
    for (let row = 0; row < 40; row++) rows.add(`a="${row}"`);
    const { family: described } = createFamily('h', '', {
      type: 'histogram',
      buckets: [1],
      labelNames: ['a'],
      series: [],
    });
    const snapshot = {
      family: described,
      rows: rows.view(),
      values: new Float64Array(120),
      native: new Array(40).fill({ ...EMPTY, exemplars: [one, one, one, one] }),
    };
    const [read] = encode(snapshot) as { metric: { histogram: Message }[] }[];
    assert.equal(read!.metric.length, 40);
    for (const { histogram } of read!.metric) assert.equal((histogram.exemplars as Message[]).length, 4);
  });
});
