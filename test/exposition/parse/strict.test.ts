/** Texts that break a rule of their format: accepted by default, rejected if all rules apply. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMetrics, type TextFormat } from 'metheus/parse';

const EOF = '# EOF\n';
const histogram = (...samples: string[]) =>
  `# TYPE a histogram\n${samples.map((line) => `a_${line}\n`).join('')}`;

/** Texts that `strict` rejects, and what it expects. */
const refused: Record<TextFormat, [text: string, expected: string][]> = {
  text: [
    ['a 1\na 2\n', 'each series once'],
    ['a 1 1000\na 2 2000\n', 'each series once'],
    ['a{x="1",y="2"} 1\na{y="2",x="1"} 2\n', 'each series once'],
    [histogram('bucket{le="1"} 1', 'bucket{le="1.0"} 1', 'count 1'), 'each series once'],
    [histogram('bucket{le="1"} -1', 'bucket{le="+Inf"} 1'), 'a count of at least 0'],
    [histogram('bucket{le="1"} NaN', 'bucket{le="+Inf"} 1'), 'a count of at least 0'],
    [histogram('bucket{le="+Inf"} 1', 'count -1'), 'a count of at least 0'],
  ],
  openmetrics: [
    ['a 1\na 2\n', 'each series once'],
    ['# TYPE a gauge\na 1\na 1 1\n', 'a timestamp for each sample of a series, or for none'],
    ['# TYPE a gauge\na 1 1\na 1\n', 'a timestamp for each sample of a series, or for none'],
    ['# TYPE a gauge\na 1 2\na 1 1\n', 'timestamps that do not decrease'],
    ['a{b="1"} 1 1\na{b="2"} 1 1\na{b="1"} 2 2\n', 'all samples of a series side by side'],
    [
      histogram(
        ...['sum{b="1"} 0', 'bucket{b="2",le="+Inf"} 0', 'count{b="2"} 0', 'sum{b="2"} 0'],
        ...['bucket{b="1",le="+Inf"} 0', 'count{b="1"} 0'],
      ),
      'all samples of a series side by side',
    ],
    [histogram('bucket{le="+INF"} 0'), "le as '+Inf'"],
    [histogram('bucket{le="+Inf"} 0.5'), 'a whole count'],
    [histogram('bucket{le="+Inf"} 0', 'count 0', 'sum -1'), 'a sum of at least 0'],
    [histogram('bucket{le="+Inf"} 0', 'count 0', 'sum NaN'), 'a sum that is a number'],
    [
      histogram('bucket{le="-1.0"} 1', 'bucket{le="+Inf"} 1', 'count 1', 'sum 1'),
      'no sum beside a bucket below zero',
    ],
    [
      '# TYPE a gaugehistogram\na_bucket{le="+Inf"} 1\na_gcount 1\na_gsum -1\n',
      'a sum of at least 0 without a bucket below zero',
    ],
    ['# TYPE a summary\na_sum NaN\n', 'a sum that is a number'],
    ['# TYPE a summary\na_sum -1\n', 'a sum of at least 0'],
    ['# TYPE a summary\na_count 0.5\n', 'a whole count'],
    ['# TYPE a summary\na{quantile="0.5"} -1\n', 'a value of at least 0'],
    ['# TYPE a_created gauge\n# TYPE a counter\n', "a name whose sample 'a_created' no earlier family has"],
    ['# TYPE a counter\n# TYPE a_created gauge\n', 'each name in one family'],
  ],
};

describe('parseMetrics with strict', () => {
  for (const format of ['text', 'openmetrics'] as const) {
    for (const [text, expected] of refused[format]) {
      const whole = format === 'text' ? text : text + EOF;
      it(`rejects ${JSON.stringify(text)} in ${format}, which is accepted by default`, () => {
        assert.ok(parseMetrics(whole, { format }).length > 0);
        assert.throws(
          () => parseMetrics(whole, { format, strict: true }),
          ({ code, message }) => code === 'METHEUS_INVALID_EXPOSITION' && message.includes(expected),
        );
      });
    }
  }

  it('accepts what OpenMetrics allows', () => {
    for (const text of [
      '# TYPE a gauge\na{b="1"} 1 0\na{b="1"} 2 0\na{b="1"} 3 1\na{b="2"} 4 0\n',
      '# TYPE a info\na_info{b="1"} 1\na_info{b="2"} 1\na_info{c="1"} 1\n',
      '# TYPE a stateset\na{a="x",b="1"} 1\na{a="y",b="1"} 0\na{a="x",b="2"} 1\n',
      '# TYPE a summary\na{quantile="0.5"} NaN\na_sum 0\na_count 0\n',
      '# TYPE a gaugehistogram\na_bucket{le="-1.0"} 1\na_bucket{le="+Inf"} 3\na_gcount 3\na_gsum -5\n',
    ]) {
      assert.equal(parseMetrics(text + EOF, { strict: true }).length, 1, text);
    }
  });

  it('rejects names of samples in two families in either order, also by default', () => {
    for (const strict of [false, true]) {
      for (const text of [
        '# TYPE a_total gauge\n# TYPE a counter\n',
        '# TYPE a counter\n# TYPE a_total gauge\n',
        '# TYPE a_sum gauge\na_sum 1\n# TYPE a summary\na_count 1\n',
      ]) {
        assert.throws(() => parseMetrics(text + EOF, { strict }), { code: 'METHEUS_INVALID_EXPOSITION' });
      }
    }
  });

  it('rejects a tab after the name of a HELP', () => {
    assert.throws(() => parseMetrics(`# HELP a\t\n${EOF}`), { code: 'METHEUS_INVALID_EXPOSITION' });
  });
});
