/** Hot-path calls, each in a loop. */
import { existsSync } from 'node:fs';
import { createCounter, createGauge, createHistogram, createSummary } from 'metheus';
import { tqdm } from 'metheus/progress';

/** More than the measurement itself allocates, and less than a bit for each of 1,000,000 calls. */
export const MIN_FAULT_BYTES = 100_000;

type Loop = (rounds: number) => void;

const LABELS = { method: 'GET', route: '/', status: '200' } as const;
const NAMES = ['method', 'route', 'status'] as const;

/**
 * Seconds that are heap numbers already. A fraction that the caller computes is boxed by the caller for each
 * call that V8 does not inline, which differs between versions. See docs/v8.md: boxed doubles.
 */
const SECONDS: readonly number[] = boxed(Array.from({ length: 1024 }, (_, i) => i / 100));

/** An array that has held a string keeps pointers. One of fractions alone would hold unboxed numbers, and box each that is read. */
function boxed(numbers: readonly number[]): number[] {
  const kept: unknown[] = [{}, ...numbers];
  kept.shift();
  return kept as number[];
}

/** Functions, since a metric exists from its creation on. */
export const OPERATIONS: Readonly<Record<string, () => Loop>> = {
  'counter.inc': () => {
    const counter = createCounter('guard_total', 'Guard.', { requiredLabels: NAMES }).labels(LABELS);
    return (rounds) => {
      for (let i = 0; i < rounds; i++) counter.inc();
    };
  },
  'labels().inc': () => {
    const counter = createCounter('guard_labels_total', 'Guard.', { requiredLabels: NAMES });
    return (rounds) => {
      for (let i = 0; i < rounds; i++) counter.labels(LABELS).inc();
    };
  },
  'gauge.set': () => {
    const gauge = createGauge('guard_value', 'Guard.');
    return (rounds) => {
      for (let i = 0; i < rounds; i++) gauge.set(i);
    };
  },
  'histogram.observe': () => {
    const histogram = createHistogram('guard_seconds', 'Guard.');
    return (rounds) => {
      for (let i = 0; i < rounds; i++) histogram.observe(SECONDS[i & 1023]!);
    };
  },
  'native histogram.observe': () => {
    const histogram = createHistogram('guard_native_seconds', 'Guard.', { native: true });
    return (rounds) => {
      for (let i = 0; i < rounds; i++) histogram.observe(SECONDS[i & 1023]!);
    };
  },
  'summary.observe, with quantiles': () => {
    const summary = createSummary('guard_quantiles_bytes', 'Guard.', { quantiles: [0.5, 0.99] });
    return (rounds) => {
      for (let i = 0; i < rounds; i++) summary.observe(1 + (i & 1023));
    };
  },
  'summary.observe': () => {
    const summary = createSummary('guard_bytes', 'Guard.');
    return (rounds) => {
      for (let i = 0; i < rounds; i++) summary.observe(i);
    };
  },
  'bar.update': () => {
    const bar = tqdm(null, { disable: true });
    return (rounds) => {
      for (let i = 0; i < rounds; i++) bar.update(1);
    };
  },
};

/** Deliberate faults, which the guards have to detect. */
export const FAULTS: Readonly<Record<string, () => Loop>> = {
  allocation: () => {
    const kept: unknown[] = [0];
    return (rounds) => {
      for (let i = 0; i < rounds; i++) kept[0] = { i };
    };
  },
  deoptimization: () => {
    const add = (a: { x: number }, b: number) => a.x + b;
    let sum = 0;
    let round = 0;
    return (rounds) => {
      round += 1;
      // Rounds with one object shape, then with another, which discards the optimized code.
      for (let i = 0; i < rounds; i++) {
        const seen: { x: number } =
          round > 6 && i > rounds / 2 ? Object.assign({ y: 1 }, { x: 2 }) : { x: 1 };
        sum += add(seen, i);
      }
      if (sum < 0) throw new Error('never');
    };
  },
  systemCall: () => (rounds) => {
    for (let i = 0; i < rounds; i += rounds / 2) existsSync('/');
  },
};
