/** UTF-8 names, parsed by Prometheus' own grammar of PromQL, in which a sample without its value is a selector. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parser } from '@prometheus-io/lezer-promql';
import fc from 'fast-check';
import { createFamily, generateMetrics } from 'metheus';

interface Selector {
  name: string | undefined;
  labels: [name: string, value: string][];
}

const unquoted = (text: string) => text.slice(1, -1).replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));

/** @throws SyntaxError */
function readSelector(text: string): Selector {
  const selector: Selector = { name: undefined, labels: [] };
  let label = '';
  parser.parse(text).iterate({
    enter({ name, node, type, from, to }) {
      if (type.isError) throw new SyntaxError(`no selector: ${text}`);
      const own = text.slice(from, to);
      const above = node.parent?.name ?? '';
      const isOfLabel = above === 'QuotedLabelMatcher';
      if (name === 'Identifier') selector.name = own;
      if (name === 'LabelName') label = own;
      if (name === 'QuotedLabelName' && isOfLabel) label = unquoted(own);
      if (name === 'QuotedLabelName' && !isOfLabel) selector.name = unquoted(own);
      if (name === 'StringLiteral' && above.endsWith('LabelMatcher'))
        selector.labels.push([label, unquoted(own)]);
    },
  });
  return selector;
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((drawn) => drawn.toWellFormed());
const name = text.filter((drawn) => drawn !== '' && !drawn.startsWith('__') && drawn !== 'le');
const labels = fc.uniqueArray(fc.tuple(name, text), { maxLength: 3, selector: ([label]) => label });

for (const format of ['text', 'openmetrics'] as const) {
  for (const [type, value] of [
    ['gauge', 1],
    ['counter', 1],
    ['histogram', [1, 0, 1]],
  ] as const) {
    it(`${type}, ${format}`, async () => {
      const isHistogram = type === 'histogram';
      await fc.assert(
        fc.asyncProperty(name, labels, async (metric, given) => {
          const family = createFamily(metric, '', {
            type,
            utf8Names: true,
            labelNames: given.map(([label]) => label),
            ...(isHistogram ? { buckets: [1] } : {}),
            series: [{ labels: Object.fromEntries(given), value }],
          });
          const exposed = await generateMetrics(
            { collect: async () => [family] },
            { escaping: 'allow-utf-8', format },
          );
          const lines = exposed.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
          assert.equal(lines.length, isHistogram ? 4 : 1);
          for (const line of lines) {
            const selector = readSelector(line.slice(0, line.lastIndexOf(' ')));
            assert.ok(selector.name?.startsWith(metric.replace(/_total$/, '')), line);
            assert.deepEqual(
              selector.labels.filter(([label]) => label !== 'le'),
              given,
            );
          }
        }),
        { seed: 3, numRuns: 300 },
      );
    });
  }
}
