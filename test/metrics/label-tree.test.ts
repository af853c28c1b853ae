/** The tree of series against a plain map, over random sequences of calls. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { CollectorRegistry, createCounter } from 'metheus';
import { samples } from './samples.js';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];
type Given = { [N in Name]?: string | number | boolean };

/** A metric with any labels. */
interface Any {
  labels(given: Given): Any;
  remove(given?: Given): number;
  clear(): void;
  inc(by: number): void;
  get(): number;
}

const value = fc.constantFrom<string | number | boolean>(
  'x',
  'y',
  1,
  '1',
  true,
  '',
  '\ud800',
  '\ufffd',
  '"\\\n',
);
const given: fc.Arbitrary<Given> = fc.record({ a: value, b: value, c: value }, { requiredKeys: [] });
/** Labels, given in one call or in several. */
const path = fc.tuple(given, fc.nat({ max: 2 }));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('inc' as const), path, by: fc.nat({ max: 100 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('keep' as const), path }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('kept' as const), which: fc.nat(), by: fc.nat({ max: 9 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
);

class Model {
  readonly series = new Map<string, number>();
  readonly defaults: Given;
  /** Whether the metric itself is observable, so that its series always exists. */
  readonly whole: boolean;

  constructor(defaults: Given) {
    this.defaults = defaults;
    this.whole = NAMES.every((name) => name in defaults);
    this.restart();
  }

  restart(): void {
    const key = this.key({});
    if (this.whole && !this.series.has(key!)) this.series.set(key!, 0);
  }

  key(labels: Given): string | undefined {
    const values = NAMES.map((name) => labels[name] ?? this.defaults[name]);
    if (values.includes(undefined)) return undefined;
    return JSON.stringify(values.map((text) => String(text).toWellFormed()));
  }

  /** Creates the series of a metric whose labels all have defaults, as reading the metric does. */
  touch(labels: Given): void {
    const key = this.key(labels);
    if (key !== undefined && !this.series.has(key)) this.series.set(key, 0);
  }

  /** Removes the series with these labels, and returns their number. */
  remove(labels: Given): number {
    const wanted = NAMES.map((name) => (name in labels ? String(labels[name]).toWellFormed() : undefined));
    let removed = 0;
    for (const key of [...this.series.keys()]) {
      const values = JSON.parse(key) as string[];
      if (!wanted.every((text, i) => text === undefined || text === values[i])) continue;
      this.series.delete(key);
      removed += 1;
    }
    this.restart();
    return removed;
  }

  lines(): string[] {
    const escaped = (text: string) => text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
    return [...this.series].map(([key, number]) => {
      const values = JSON.parse(key) as string[];
      return `c_total{${NAMES.map((name, i) => `${name}="${escaped(values[i]!)}"`).join(',')}} ${number}`;
    });
  }
}

/** Follows a path: all labels in one call, or the first `cut` of them in a separate call. */
function follow(metric: Any, [labels, cut]: [Given, number]): Any {
  const entries = Object.entries(labels);
  const first = Object.fromEntries(entries.slice(0, cut));
  return metric.labels(first).labels(Object.fromEntries(entries.slice(cut)));
}

for (const defaults of [{}, { b: 'x' }, { a: 1, b: true }, { a: 'x', b: 'y', c: 1 }] as Given[]) {
  it(`with defaults ${JSON.stringify(defaults)}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const registry = new CollectorRegistry();
        const options = { registry, requiredLabels: NAMES, defaultLabels: defaults };
        const counter = createCounter('c_total', 'C.', options) as unknown as Any;
        const model = new Model(defaults);
        let kept: { metric: Any; labels: Given; key: string | undefined; attached: boolean }[] = [];

        const removed = () => {
          for (const one of kept) {
            if (one.metric !== counter && !model.series.has(one.key ?? '')) one.attached = false;
          }
        };

        for (const one of steps) {
          if (one.kind === 'inc' || one.kind === 'keep') {
            const metric = follow(counter, one.path);
            const key = model.key(one.path[0]);
            assert.equal(counter.labels(one.path[0]), metric, 'the same labels are the same object');
            assert.equal(metric.labels({}), metric);
            model.touch(Object.fromEntries(Object.entries(one.path[0]).slice(0, one.path[1])));
            model.touch(one.path[0]);
            if (one.kind === 'keep') kept.push({ metric, labels: one.path[0], key, attached: true });
            else if (key === undefined)
              assert.throws(() => metric.inc(one.by), { code: 'METHEUS_MISSING_LABELS' });
            else {
              metric.inc(one.by);
              model.series.set(key, model.series.get(key)! + one.by);
              assert.equal(metric.get(), model.series.get(key));
            }
          } else if (one.kind === 'kept') {
            const found = kept[one.which % Math.max(1, kept.length)];
            if (found?.key === undefined) continue;
            found.metric.inc(one.by);
            if (found.attached) model.series.set(found.key, model.series.get(found.key)! + one.by);
          } else if (one.kind === 'remove') {
            const before = [...model.series.keys()];
            assert.equal(follow(counter, [{}, 0]).remove(one.path[0]), model.remove(one.path[0]));
            // The series of the metric itself is new: children that counted in the old one are detached.
            const root = model.key({});
            if (model.whole && before.includes(root!) && model.series.get(root!) === 0) {
              const gone = NAMES.every((name) => {
                const text = one.path[0][name];
                return text === undefined || String(text).toWellFormed() === String(defaults[name]);
              });
              if (gone)
                for (const kept_ of kept)
                  if (kept_.key === root && kept_.metric !== counter) kept_.attached = false;
            }
            removed();
          } else {
            counter.clear();
            model.remove({});
            kept = kept.map((kept_) => ({ ...kept_, attached: kept_.metric === counter }));
          }
        }
        assert.deepEqual((await samples(registry)).toSorted(), model.lines().toSorted());
      }),
      { seed: 4, numRuns: 300 },
    );
  });
}
