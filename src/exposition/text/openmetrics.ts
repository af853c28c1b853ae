/**
 * OpenMetrics 1.0.0.
 *
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
import type { FamilyDescriptor } from '../../model/family.js';
import { METRIC_TYPES, withoutEnding } from '../../model/metric-types.js';
import { isLegacyLabelName, isLegacyMetricName } from '../../model/names.js';
import { quoted, type Shape } from '../naming.js';
import { formatCanonical } from '../value.js';
import { bucketLines, type Dialect, type LineSpec, quantileLines } from './dialect.js';
import { textEncoder } from './encode.js';

const OPENMETRICS: Dialect = {
  shapesOf(name, type) {
    const shape = { family: name, sample: name, ...METRIC_TYPES[type].openmetrics };
    if (type === 'info') {
      const family = withoutEnding(name, '_info');
      return [{ ...shape, family, sample: `${family}_info` }];
    }
    if (type === 'counter') {
      // As in client_golang, a counter without `_total` is exposed as `unknown`.
      const unknown = { ...shape, word: 'unknown', suffixes: [] };
      const family = withoutEnding(name, '_total');
      return family === name ? [unknown] : [{ ...shape, family }, unknown];
    }
    // A stateset needs a label with the name of the family, and label names have no colons.
    const isNamed = !isLegacyMetricName(name) || isLegacyLabelName(name);
    return [type === 'stateset' && !isNamed ? { ...shape, word: 'gauge' } : shape];
  },
  headerOf({ family, word }, { help, unit, type }) {
    const name = isLegacyMetricName(family) ? family : quoted(family);
    const hasUnit = /^\w+$/.test(unit) && family.endsWith(`_${unit}`) && !METRIC_TYPES[type].isState;
    const escaped = help.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
    return `# TYPE ${name} ${word}\n${hasUnit ? `# UNIT ${name} ${unit}\n` : ''}# HELP ${name} ${escaped}\n`;
  },
  linesOf(shape, family, has) {
    const lines = valueLines(shape, family, has.quantiles);
    const hasCreated = has.created && shape.suffixes.includes('_created');
    return hasCreated ? [...lines, { name: `${shape.family}_created`, cell: 0, value: 'created' }] : lines;
  },
  timestampOf: (seconds) => (Number.isFinite(seconds) ? seconds : Number.NaN),
  exemplars: true,
  end: '# EOF\n',
  namers: new Map(),
};

function valueLines(
  { family: name, word, sample }: Shape,
  { type, bounds }: FamilyDescriptor,
  hasQuantiles: boolean,
): LineSpec[] {
  switch (METRIC_TYPES[type].layout) {
    case 'summary':
      // Neither sums nor quantiles may be below zero.
      return [
        ...(hasQuantiles ? quantileLines(name, bounds, formatCanonical, 0) : []),
        { name: `${name}_sum`, cell: 0, guard: 0 },
        { name: `${name}_count`, cell: 1 },
      ];
    case 'buckets':
      return histogramLines(name, type === 'gaugehistogram', bounds);
    default:
      return [
        word === 'counter' ? { name: sample, cell: 0, exemplar: true, guard: 0 } : { name: sample, cell: 0 },
      ];
  }
}

/**
 * Sum and count are written together or not at all. They are left out with a bound below zero, since a sum may then shrink,
 * and where the sum is below zero or NaN. The last bucket is the count.
 */
function histogramLines(name: string, isGauge: boolean, bounds: readonly number[]): LineSpec[] {
  const buckets = bucketLines(name, bounds, formatCanonical, true);
  const isSigned = bounds.some((bound) => bound < 0);
  if (isSigned && !isGauge) return buckets;
  const guard = isSigned ? -1 : bounds.length + 1;
  const [sum, count] = isGauge ? ['_gsum', '_gcount'] : ['_sum', '_count'];
  return [
    ...buckets,
    { name: name + sum, cell: bounds.length + 1, guard },
    { name: name + count, cell: bounds.length + 1, value: 'count', guard },
  ];
}

/** Encodes families as OpenMetrics. */
export const encodeOpenMetrics = textEncoder(OPENMETRICS);
