/** Random registries, checked with other parsers: everything is accepted, and parsed to the numbers that were counted. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { generateMetrics } from 'metheus';
import { build, expectedFamilies, registryPlan } from '../../support/random-registry.js';
import { requireTool } from '../../support/tools.js';
import { numberOf, type ParsedFamily, PythonParser, promtoolCheck } from '../../support/validators.js';

/** Python strips white space at both ends of help, by a wider definition than JavaScript's. */
const SPACES = String.raw`[\s\x1c-\x1f\x85]+`;
const SPACE_AT_ENDS = new RegExp(`^${SPACES}|${SPACES}$`, 'g');

/** A family as comparable text: samples in any order, `le` as a number. */
function comparable({ name, type, help, samples }: Omit<ParsedFamily, 'unit'>): unknown {
  const ends = samples.map((sample) => {
    const labels = Object.entries(sample.labels).map(([label, value]) => {
      const isBound = label === 'le' && sample.name.endsWith('_bucket');
      return [label, isBound ? exact(numberOf(value.replace('Infinity', 'Inf'))) : value];
    });
    const suffix = sample.name.slice(name.length);
    return JSON.stringify([suffix, labels.sort(), exact(sample.value)]);
  });
  return { name, type, help: help.replace(SPACE_AT_ENDS, ''), samples: ends.sort() };
}

const exact = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));
const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

describe('random registries', () => {
  const noPython = requireTool('python3 with prometheus_client');

  describe("before Python's parser", { skip: noPython }, () => {
    let parser: PythonParser;
    before(() => {
      parser = new PythonParser();
    });
    after(() => parser.stop());

    it('are parsed to the same names, help, labels and values', async () => {
      await fc.assert(
        fc.asyncProperty(registryPlan, async (plan) => {
          const parsed = await parser.parse(await generateMetrics(build(plan)));
          // It takes counters as families without `_total` whose samples have it.
          const expected = expectedFamilies(plan).map(({ name, type, ...family }) =>
            type === 'counter'
              ? { ...family, type, name: name.replace(/_total$/, '') }
              : { ...family, type, name },
          );
          const samples = expected.map((family) => ({
            ...family,
            samples: family.samples.map((sample) =>
              family.type === 'counter' ? { ...sample, name: `${family.name}_total` } : sample,
            ),
          }));
          assert.deepEqual(parsed.sort(byName).map(comparable), samples.sort(byName).map(comparable));
        }),
        { seed: 2024, numRuns: 1000 },
      );
    });
  });

  it('are accepted by promtool', { skip: requireTool('promtool') }, async () => {
    // Many at a time, since each start of promtool costs more than all the rest; prefixes keep them apart.
    const plans = fc.array(registryPlan, { minLength: 1, maxLength: 40, size: 'max' });
    await fc.assert(
      fc.asyncProperty(plans, async (many) => {
        const texts = many.map((plan, i) =>
          generateMetrics(build({ ...plan, prefix: `r${i}_${plan.prefix}` })),
        );
        const text = (await Promise.all(texts)).join('');
        if (text === '') return; // It takes no text at all for a mistake.
        const { exitCode, output } = await promtoolCheck(text);
        // 3: the names are not what it recommends, which random names are not meant to be.
        assert.ok(exitCode === 0 || exitCode === 3, `exit code ${exitCode}: ${output}`);
      }),
      { seed: 2025, numRuns: 25 },
    );
  });
});
