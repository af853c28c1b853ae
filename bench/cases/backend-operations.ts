/**
 * `inc`, `set` and `observe` on a kept child with another backend. The limit is the same call with the memory
 * backend.
 */
import { createCounter, createGauge, createHistogram, DEFAULT_BUCKETS, generateMetrics } from 'metheus';
import { type Case, expectEqual, type Group, perRound, type Size, type Subject } from '../case.js';
import { samplesOf } from '../workload/exposition-samples.js';
import { REQUEST_LABELS } from '../workload/label-sets.js';

const GIVEN = { method: 'GET', route: '/', status: '200' };
const SERIES = 'method="GET",route="/",status="200"';
const VALUES = 65_536;
const ROUNDS = VALUES * 2;
const options = { requiredLabels: REQUEST_LABELS };

/** Values in random order, equally many for each bucket. */
const values = Float64Array.from({ length: VALUES }, (_, i) => {
  const at = (((i * 40_503) & (VALUES - 1)) / VALUES) * (DEFAULT_BUCKETS.length + 1);
  const low = DEFAULT_BUCKETS[Math.floor(at) - 1] ?? 0;
  const high = DEFAULT_BUCKETS[Math.floor(at)] ?? 20;
  return low + (high - low) * (at % 1);
});

interface Operation {
  readonly loop: (rounds: number) => void;
  /** The samples after `ROUNDS` rounds. */
  readonly expected: Readonly<Record<string, number>>;
}

function incrementing(): Operation {
  const child = createCounter('work_total', 'Work.', options).labels(GIVEN);
  return {
    loop(rounds) {
      for (let i = 0; i < rounds; i++) child.inc();
    },
    expected: { [`work_total{${SERIES}}`]: ROUNDS },
  };
}

function setting(): Operation {
  const child = createGauge('work', 'Work.', options).labels(GIVEN);
  return {
    loop(rounds) {
      for (let i = 0; i < rounds; i++) child.set(i);
    },
    expected: { [`work{${SERIES}}`]: ROUNDS - 1 },
  };
}

function observing(): Operation {
  const child = createHistogram('work', 'Work.', options).labels(GIVEN);
  const sum = values.reduce((total, value) => total + value) * (ROUNDS / VALUES);
  const below = values.filter((value) => value <= 1).length * (ROUNDS / VALUES);
  return {
    loop(rounds) {
      for (let i = 0; i < rounds; i++) child.observe(values[i & (VALUES - 1)]!);
    },
    expected: {
      [`work_count{${SERIES}}`]: ROUNDS,
      [`work_sum{${SERIES}}`]: sum,
      [`work_bucket{le="1",${SERIES}}`]: below,
    },
  };
}

const OPERATIONS = { inc: incrementing, 'gauge.set': setting, 'histogram.observe': observing };

function measuring({ loop, expected }: Operation, size: Size): Subject {
  return {
    async check() {
      loop(ROUNDS);
      const samples = samplesOf(await generateMetrics());
      for (const [series, value] of Object.entries(expected)) {
        expectEqual(series, samples.get(series) ?? Number.NaN, value);
      }
    },
    run: perRound(loop, size),
  };
}

/** @param load - loads the backend */
export function operationWith(
  group: Group & ('file' | 'redis'),
  operation: keyof typeof OPERATIONS,
  load: () => Promise<unknown>,
): Case {
  return {
    group,
    name: `${operation} on a kept child, ${group} backend (limit: in memory)`,
    unit: 'ns',
    async ours(size) {
      await load();
      return measuring(OPERATIONS[operation](), size);
    },
    limit: (size) => measuring(OPERATIONS[operation](), size),
  };
}
