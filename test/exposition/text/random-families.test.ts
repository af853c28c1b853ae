/** Random families of every type, checked with other parsers in both text formats. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { generateMetrics } from 'metheus';
import {
  expectedOpenMetrics,
  expectedText,
  familyPlans,
  snapshotsOf,
} from '../../support/random-snapshots.js';
import { collectable } from '../../support/snapshots.js';
import { requireTool } from '../../support/tools.js';
import {
  numberOf,
  type ParsedFamily,
  type ParsedSample,
  PythonParser,
  promtoolCheck,
} from '../../support/validators.js';

/** Python strips white space at both ends of help in text, by a wider definition than JavaScript's. */
const SPACES = String.raw`[\s\x1c-\x1f\x85]+`;
const SPACE_AT_ENDS = new RegExp(`^${SPACES}|${SPACES}$`, 'g');

/** Python reads `-0` as an integer, which has no sign. */
const exact = (value: number | undefined) => (value === undefined ? '' : String(value));
const NUMBER_LABELS: readonly string[] = ['le', 'quantile'];

function comparableSample({ name, labels, value, timestamp, exemplar }: ParsedSample): string {
  const pairs = Object.entries(labels).map(([label, text]) =>
    NUMBER_LABELS.includes(label) ? [label, exact(numberOf(text.replace('Infinity', 'Inf')))] : [label, text],
  );
  const from = exemplar && [
    Object.entries(exemplar.labels).sort(),
    exact(exemplar.value),
    exact(exemplar.timestamp),
  ];
  return JSON.stringify([name, pairs.sort(), exact(value), exact(timestamp), from]);
}

function comparable({ name, type, help, unit, samples }: ParsedFamily): unknown {
  const trimmed = help.replace(SPACE_AT_ENDS, '');
  return { name, type, help: trimmed, unit, samples: samples.map(comparableSample).sort() };
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

describe('random families', () => {
  describe("before Python's parsers", { skip: requireTool('python3 with prometheus_client') }, () => {
    const parsers: PythonParser[] = [];
    before(() => {
      parsers.push(new PythonParser('text'), new PythonParser('openmetrics'));
    });
    after(() => Promise.all(parsers.map((parser) => parser.stop())));

    it('are parsed from OpenMetrics with all their contents', async () => {
      await fc.assert(
        fc.asyncProperty(familyPlans, async (plans) => {
          const options = { format: 'openmetrics', created: true } as const;
          const text = await generateMetrics(collectable(...snapshotsOf(plans)), options);
          const parsed = await parsers[1]!.parse(text);
          const expected = plans.map(expectedOpenMetrics);
          assert.deepEqual(parsed.sort(byName).map(comparable), expected.sort(byName).map(comparable));
        }),
        { seed: 2031, numRuns: 300 },
      );
    });

    it('are parsed from text 0.0.4 with all contents of that format', async () => {
      await fc.assert(
        fc.asyncProperty(familyPlans, async (plans) => {
          const parsed = await parsers[0]!.parse(await generateMetrics(collectable(...snapshotsOf(plans))));
          const expected = plans.map(expectedText);
          assert.deepEqual(parsed.sort(byName).map(comparable), expected.sort(byName).map(comparable));
        }),
        { seed: 2032, numRuns: 300 },
      );
    });
  });

  it('are accepted by promtool as text 0.0.4', { skip: requireTool('promtool') }, async () => {
    const many = fc.sample(familyPlans, { seed: 2033, numRuns: 300 });
    const families = many.flatMap((plans, run) =>
      snapshotsOf(plans.map((plan) => ({ ...plan, name: `r${run}_${plan.name}` }))),
    );
    const { exitCode, output } = await promtoolCheck(await generateMetrics(collectable(...families)));
    // 3: the names are not what it recommends, which random names are not meant to be.
    assert.ok(exitCode === 0 || exitCode === 3, `exit code ${exitCode}: ${output.slice(0, 2000)}`);
  });
});
