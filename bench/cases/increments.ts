/** Counters with a kept child, so that no labels are looked up. */
import { CollectorRegistry, createCounter } from 'metheus';
import { type Case, expectEqual, perRound, type Size, type Subject } from '../case.js';
import type { PromClient } from '../peers.js';
import { metheusText, sumOf } from '../workload/exposition-samples.js';
import { REQUEST_LABELS } from '../workload/label-sets.js';
import { DEPENDENT_ADD, INDEPENDENT_ADD } from './limits.js';

const GIVEN = { method: 'GET', route: '/', status: '200' };
const COUNTERS = 16;

interface Incrementable {
  inc(): void;
}

function keptChild(child: Incrementable, text: () => Promise<string>, size: Size): Subject {
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) child.inc();
  };
  return checked(loop, text, size);
}

function inTurn(counters: readonly Incrementable[], text: () => Promise<string>, size: Size): Subject {
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) counters[i & (COUNTERS - 1)]!.inc();
  };
  return checked(loop, text, size);
}

function checked(loop: (rounds: number) => void, text: () => Promise<string>, size: Size): Subject {
  return {
    async check() {
      loop(1000);
      expectEqual('all counters', sumOf(await text()), 1000);
    },
    run: perRound(loop, size),
  };
}

function ourChild(size: Size): Subject {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const counter = createCounter('requests_total', 'Requests.', { requiredLabels: REQUEST_LABELS, registry });
  return keptChild(counter.labels(GIVEN), metheusText(registry), size);
}

function theirChild({ Counter, Registry }: PromClient, size: Size): Subject {
  const registry = new Registry();
  const config = { name: 'requests_total', help: 'Requests.', registers: [registry] };
  const counter = new Counter({ ...config, labelNames: REQUEST_LABELS });
  return keptChild(counter.labels(GIVEN), () => registry.metrics(), size);
}

const names = Array.from({ length: COUNTERS }, (_, i) => `events_${i}_total`);

function ourCounters(size: Size): Subject {
  const registry = new CollectorRegistry({ scope: 'bench' });
  const counters = names.map((name) => createCounter(name, 'Events.', { registry }));
  return inTurn(counters, metheusText(registry), size);
}

function theirCounters({ Counter, Registry }: PromClient, size: Size): Subject {
  const registry = new Registry();
  const counters = names.map((name) => new Counter({ name, help: 'Events.', registers: [registry] }));
  return inTurn(counters, () => registry.metrics(), size);
}

export const CASES: readonly Case[] = [
  {
    group: 'metrics',
    name: 'inc on a kept child, 3 labels',
    unit: 'ns',
    ours: ourChild,
    theirs: theirChild,
    limitedBy: DEPENDENT_ADD,
    target: { max: 2.5 },
  },
  {
    group: 'metrics',
    name: 'inc without labels, 16 counters in turn',
    unit: 'ns',
    ours: ourCounters,
    theirs: theirCounters,
    limitedBy: INDEPENDENT_ADD,
    target: { max: 1.5 },
  },
];
