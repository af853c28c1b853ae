/** Fills registries, ours and theirs, with the same names, labels and numbers. */
import {
  CollectorRegistry,
  createCounter,
  createHistogram,
  DEFAULT_BUCKETS,
  type ExpositionFormat,
} from 'metheus';
import { expectEqual } from '../case.js';
import type { PromClient, PromRegistry } from '../peers.js';
import { samplesOf } from './exposition-samples.js';
import { type Amount, type Kind, labelSets, REQUEST_LABELS, type RequestLabels } from './label-sets.js';
import { checkProtobuf } from './protobuf-samples.js';

/** One value for each bucket, the last one for `+Inf`. */
const OBSERVED = [...DEFAULT_BUCKETS, 20];
const NAMES: Readonly<Record<Kind, string>> = {
  counter: 'requests_total',
  histogram: 'seconds',
  'native histogram': 'seconds',
};

export function fillOurs({ kind, families, series }: Amount): CollectorRegistry {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const options = { requiredLabels: REQUEST_LABELS, registry };
  for (const name of namesOf(kind, families)) {
    if (kind === 'counter') {
      const counter = createCounter(name, 'Requests.', options);
      for (const [i, labels] of labelSets(series).entries()) counter.labels(labels).inc(i % 1000);
    } else {
      const native = kind === 'native histogram';
      const histogram = createHistogram(name, 'Time.', { ...options, native });
      for (const labels of labelSets(series)) observeAll(histogram.labels(labels));
    }
  }
  return registry;
}

export function fillTheirs(client: PromClient, { kind, families, series }: Amount): PromRegistry {
  const registry = new client.Registry();
  const options = { help: 'Work.', labelNames: REQUEST_LABELS, registers: [registry] };
  for (const name of namesOf(kind, families)) {
    if (kind === 'counter') {
      const counter = new client.Counter({ name, ...options });
      for (const [i, labels] of labelSets(series).entries()) counter.labels(labels).inc(i % 1000);
    } else {
      const histogram = new client.Histogram({ name, ...options });
      for (const labels of labelSets(series)) observeAll(histogram.labels(labels));
    }
  }
  return registry;
}

/** @throws Error unless the scrape contains every series with its numbers */
export function checkScrape(bytes: Uint8Array, amount: Amount, format: ExpositionFormat): void {
  if (format === 'protobuf') checkProtobuf(bytes, amount);
  else checkText(Buffer.from(bytes).toString(), amount);
}

/** @throws Error unless the text contains every series with its numbers */
export function checkText(text: string, { kind, families, series }: Amount): void {
  const samples = samplesOf(text);
  const lines = kind === 'counter' ? 1 : DEFAULT_BUCKETS.length + 3;
  expectEqual('lines', samples.size, families * series * lines);
  for (const name of namesOf(kind, families)) {
    for (const [i, labels] of labelSets(series).entries()) {
      const text = labelText(labels);
      if (kind === 'counter') expectEqual(text, samples.get(`${name}{${text}}`)!, i % 1000);
      else {
        const sum = OBSERVED.reduce((total, value) => total + value);
        expectEqual(text, samples.get(`${name}_count{${text}}`)!, OBSERVED.length);
        expectEqual(text, samples.get(`${name}_bucket{le="0.1",${text}}`)!, 5);
        expectEqual(text, samples.get(`${name}_sum{${text}}`)!, sum);
      }
    }
  }
}

function observeAll(child: { observe(value: number): void }): void {
  for (const value of OBSERVED) child.observe(value);
}

function namesOf(kind: Kind, families: number): string[] {
  return Array.from({ length: families }, (_, i) => (i === 0 ? NAMES[kind] : `family_${i}_${NAMES[kind]}`));
}

function labelText({ method, route, status }: RequestLabels): string {
  return `method="${method}",route="${route}",status="${status}"`;
}
