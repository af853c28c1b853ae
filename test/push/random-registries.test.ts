/** Random registries, delivered in every way: each server gets the numbers that were counted. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { generateMetrics } from 'metheus';
import { Pushgateway, startOtlp, startRemoteWrite, writeTextfile } from 'metheus/push';
import { uncompress } from 'snappy';
import { readWriteRequest } from '../support/protobuf.js';
import { build, expectedFamilies, registryPlan } from '../support/random-registry.js';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [name: string, labels: Labels, value: number];

/** Returns samples as text in order. Empty labels are the same as none, and bounds are compared as numbers. */
function comparable(samples: readonly Sample[]): string[] {
  const texts = samples.map(([name, labels, value]) => {
    const pairs = Object.entries(labels)
      .filter(([, text]) => text !== '')
      .map(([label, text]) => [label, label === 'le' && name.endsWith('_bucket') ? boundOf(text) : text]);
    return JSON.stringify([name, pairs.sort(), Object.is(value, -0) ? '-0' : String(value)]);
  });
  return texts.sort();
}

const boundOf = (text: string): string => (text === '+Inf' ? 'Infinity' : String(Number(text)));

/** A number of OTLP's JSON. */
const numberOf = (value: unknown): number => Number(value);

interface Point {
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[];
  readonly asDouble?: unknown;
  readonly count?: unknown;
  readonly sum?: unknown;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
}
interface OtlpRequest {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly Readonly<Record<string, unknown>>[];
    }[];
  }[];
}

/** Returns the samples that Prometheus would make of a request. */
function samplesOfOtlp(request: OtlpRequest): Sample[] {
  const metrics = request.resourceMetrics.flatMap((one) =>
    one.scopeMetrics.flatMap((scope) => scope.metrics),
  );
  return metrics.flatMap((metric) => {
    const name = metric.name as string;
    const [kind] = ['gauge', 'sum', 'histogram', 'summary'].filter((field) => field in metric) as [string];
    const { dataPoints } = metric[kind] as { dataPoints: readonly Point[] };
    return dataPoints.flatMap((point): Sample[] => {
      const labels = Object.fromEntries(point.attributes.map(({ key, value }) => [key, value.stringValue]));
      if (kind === 'gauge') return [[name, labels, numberOf(point.asDouble)]];
      if (kind === 'sum') return [[`${name}_total`, labels, numberOf(point.asDouble)]];
      let sum = 0;
      const buckets = (point.bucketCounts ?? []).map((count, i): Sample => {
        sum += Number(count);
        const le = String(point.explicitBounds?.[i] ?? Number.POSITIVE_INFINITY);
        return [`${name}_bucket`, { ...labels, le }, sum];
      });
      return [
        ...buckets,
        [`${name}_sum`, labels, numberOf(point.sum)],
        [`${name}_count`, labels, Number(point.count)],
      ];
    });
  });
}

describe('random registries', () => {
  let bodies: Buffer[] = [];
  let url: string;
  let folder: string;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(Buffer.concat(chunks));
    response.end();
  });

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    folder = await mkdtemp(join(tmpdir(), 'metheus-push-'));
  });
  after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  /** Returns the bodies that arrive while something is done. */
  async function bodiesDuring(work: () => Promise<unknown>): Promise<Buffer[]> {
    bodies = [];
    await work();
    return [...bodies];
  }

  const interval = 1_000_000;

  it('arrive with the same numbers in every way', async () => {
    await fc.assert(
      fc.asyncProperty(registryPlan, async (plan) => {
        const registry = build(plan);
        const families = expectedFamilies(plan);
        const expected = families.flatMap(({ samples }) =>
          samples.map(({ name, labels, value }): Sample => [name, labels, value]),
        );

        const writer = await startRemoteWrite({ url, labels: { job_of_test: 'x' }, registry, interval });
        const written = await bodiesDuring(() => writer.flush());
        await writer.close();
        const requests = await Promise.all(written.map(async (body) => uncompress(body, { asBuffer: true })));
        const received = requests.flatMap((request) => readWriteRequest(request as Buffer));
        const own = received.map(({ labels: { __name__, job_of_test, ...labels }, samples }): Sample => {
          assert.equal(job_of_test, 'x');
          assert.equal(samples.length, 1);
          return [__name__!, labels, samples[0]!.value];
        });
        assert.deepEqual(comparable(own), comparable(expected));

        const exporter = await startOtlp({ url, format: 'json', registry, interval });
        const exported = await bodiesDuring(() => exporter.flush());
        await exporter.close();
        const points = exported.flatMap((body) => samplesOfOtlp(JSON.parse(body.toString())));
        const withTotal = families.flatMap(({ type, samples }) =>
          samples.map(({ name, labels, value }): Sample => {
            return [type === 'counter' ? `${name.replace(/_total$/, '')}_total` : name, labels, value];
          }),
        );
        assert.deepEqual(comparable(points), comparable(withTotal));

        const text = await generateMetrics(registry);
        const gateway = new Pushgateway({ url, job: 'x', registry });
        const [pushed] = await bodiesDuring(() => gateway.push());
        assert.equal(pushed?.toString(), text);
        await writeTextfile(join(folder, 'random.prom'), { registry });
        assert.equal(await readFile(join(folder, 'random.prom'), 'utf8'), text);
      }),
      { seed: 2026, numRuns: 150 },
    );
  });
});
