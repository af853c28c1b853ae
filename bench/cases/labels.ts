/** Counters that are looked up by their labels for every increment. */
import { CollectorRegistry, createCounter } from 'metheus';
import { type Case, expectEqual, perRound, type Size, type Subject } from '../case.js';
import type { PromClient } from '../peers.js';
import { metheusText, samplesOf } from '../workload/exposition-samples.js';
import { labelSets, REQUEST_LABELS, type RequestLabels } from '../workload/label-sets.js';
import { NESTED_MAPS } from './limits.js';

type Text = () => Promise<string>;

interface Labelled<L> {
  labels(given: L): { inc(): void };
}

/** Passes the labels as an object literal, as programs do. */
function oneFamily(counter: Labelled<RequestLabels>, text: Text, size: Size): Subject {
  const sets = labelSets();
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const { method, route, status } = sets[i % sets.length]!;
      counter.labels({ method, route, status }).inc();
    }
  };
  return checked(loop, sets.length, text, size);
}

/** Completes kept partials that have the method; the status is a number, as in a server. */
function ourPartials(size: Size): Subject {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const counter = createCounter('requests_total', 'Requests.', { requiredLabels: REQUEST_LABELS, registry });
  const calls = labelSets().map(({ method, route, status }) => ({
    partial: counter.labels({ method }),
    route,
    status: Number(status),
  }));
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const { partial, route, status } = calls[i % calls.length]!;
      partial.labels({ route, status }).inc();
    }
  };
  return checked(loop, calls.length, metheusText(registry), size);
}

const FAMILIES = 20;

interface Call {
  readonly family: number;
  readonly given: Readonly<Record<string, string>>;
}

/** Names, numbers of labels and object shapes as varied as in a whole program. */
const names = Array.from({ length: FAMILIES }, (_, i) => `family_${i}_total`);
const labelNames = names.map((_, i) => Array.from({ length: 1 + (i % 4) }, (_, k) => `label_${i}_${k}`));

function calls(): Call[] {
  const values = ['a', 'b', 'c', 'd', 'e'];
  return Array.from({ length: 1000 }, (_, i) => {
    const family = i % FAMILIES;
    const round = (i / FAMILIES) | 0;
    const entries = labelNames[family]!.map((name, k) => [name, values[((round / 5 ** k) | 0) % 5]!]);
    return { family, given: Object.fromEntries(entries) };
  });
}

function manyFamilies(counters: readonly Labelled<Call['given']>[], text: Text, size: Size): Subject {
  const made = calls();
  const different = new Set(made.map((call) => JSON.stringify(call))).size;
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const { family, given } = made[i % made.length]!;
      counters[family]!.labels(given).inc();
    }
  };
  return checked(loop, different, text, size, made.length);
}

function checked(
  loop: (rounds: number) => void,
  series: number,
  text: Text,
  size: Size,
  round = series,
): Subject {
  return {
    async check() {
      loop(round * 3);
      const samples = [...samplesOf(await text()).values()];
      expectEqual('series', samples.length, series);
      expectEqual(
        'all counters',
        samples.reduce((sum, value) => sum + value),
        round * 3,
      );
    },
    run: perRound(loop, size),
  };
}

function ourFamily(size: Size): Subject {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const counter = createCounter('requests_total', 'Requests.', { requiredLabels: REQUEST_LABELS, registry });
  return oneFamily(counter, metheusText(registry), size);
}

function theirFamily({ Counter, Registry }: PromClient, size: Size): Subject {
  const registry = new Registry();
  const config = { name: 'requests_total', help: 'Requests.', registers: [registry] };
  const counter = new Counter({ ...config, labelNames: REQUEST_LABELS });
  return oneFamily(counter, () => registry.metrics(), size);
}

function ourFamilies(size: Size): Subject {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const counters = names.map((name, i) =>
    createCounter(name, 'Events.', { requiredLabels: labelNames[i]!, registry }),
  );
  return manyFamilies(counters as unknown as Labelled<Call['given']>[], metheusText(registry), size);
}

function theirFamilies({ Counter, Registry }: PromClient, size: Size): Subject {
  const registry = new Registry();
  const counters = names.map(
    (name, i) => new Counter({ name, help: 'Events.', labelNames: labelNames[i]!, registers: [registry] }),
  );
  return manyFamilies(counters, () => registry.metrics(), size);
}

export const CASES: readonly Case[] = [
  {
    group: 'metrics',
    name: 'labels({ 3 labels }).inc(), 1,000 sets',
    unit: 'ns',
    ours: ourFamily,
    theirs: theirFamily,
    limitedBy: NESTED_MAPS,
    target: { max: 35 },
  },
  {
    group: 'metrics',
    name: 'labels({ 2 labels, one a number }).inc() of 5 kept partials, 1,000 sets',
    unit: 'ns',
    ours: ourPartials,
    limitedBy: NESTED_MAPS,
  },
  {
    group: 'metrics',
    name: 'labels({ 1 to 4 labels }).inc(), 20 families',
    unit: 'ns',
    ours: ourFamilies,
    theirs: theirFamilies,
  },
];
