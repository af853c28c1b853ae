/** The table of metric types. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  cellsOf,
  METRIC_TYPES,
  sampleNames,
  TYPE_NAMES,
  withoutEnding,
} from '#metheus/model/metric-types.js';

describe('metric types', () => {
  it('have the cells of their layout', () => {
    const cells = TYPE_NAMES.map((type) => [type, cellsOf(type, [1, 2])]);
    assert.deepEqual(Object.fromEntries(cells), {
      counter: 1,
      gauge: 2,
      histogram: 4,
      gaugehistogram: 4,
      summary: 2,
      info: 2,
      stateset: 2,
      unknown: 1,
    });
  });

  it('reserve the sample names of every format', () => {
    const namesOf = (name: string) => TYPE_NAMES.map((type) => sampleNames({ name, type }).join(' '));
    assert.deepEqual(namesOf('a_total').slice(0, 3), [
      'a_total',
      'a_total',
      'a_total a_total_bucket a_total_sum a_total_count',
    ]);
    assert.deepEqual(namesOf('b').slice(2), [
      'b b_bucket b_sum b_count',
      'b b_bucket b_sum b_count b_gsum b_gcount',
      'b b_sum b_count',
      'b b_info',
      'b',
      'b',
    ]);
    assert.deepEqual(sampleNames({ name: 'build_info', type: 'info' }), ['build_info']);
  });

  it('are visible, except for the internal one', () => {
    assert.deepEqual(
      Object.keys(METRIC_TYPES).filter((type) => !TYPE_NAMES.includes(type as never)),
      ['parts'],
    );
  });
});

describe('withoutEnding', () => {
  it('keeps a name that is only the ending', () => {
    assert.deepEqual(
      ['jobs_total', 'jobs', '_total'].map((name) => withoutEnding(name, '_total')),
      ['jobs', 'jobs', '_total'],
    );
  });
});
