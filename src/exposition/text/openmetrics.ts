/**
 * OpenMetrics 1.0.0.
 *
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { METRIC_TYPES, withoutEnding } from '../../model/metric-types.js';
import { isLegacyLabelName, isLegacyMetricName } from '../../model/names.js';
import type { Encoder } from '../encoder.js';
import { quoted } from '../escaping.js';
import { formatCanonical } from '../value.js';
import type { Dialect, Shape } from './dialect.js';
import { encodeFamilies } from './encode.js';
import { bucketLines, type Line, line, quantileLines } from './line.js';

const OPENMETRICS: Dialect = {
  shapesOf(name, type) {
    const shape = { family: name, sample: name, ...METRIC_TYPES[type].openmetrics };
    if (type === 'info') {
      const family = withoutEnding(name, '_info');
      return [{ ...shape, family, sample: `${family}_info` }];
    }
    if (type === 'counter') {
      // As in Go: a counter that cannot be one is of a type that says nothing, under the name that it has.
      const unknown = { ...shape, word: 'unknown', suffixes: [] };
      const family = withoutEnding(name, '_total');
      return family === name ? [unknown] : [{ ...shape, family }, unknown];
    }
    // A state set needs a label of its own name, which no label has with a colon.
    const isNamed = !isLegacyMetricName(name) || isLegacyLabelName(name);
    return [type === 'stateset' && !isNamed ? { ...shape, word: 'gauge' } : shape];
  },
  headerOf({ family, word }, { help, unit, type }) {
    const name = isLegacyMetricName(family) ? family : quoted(family);
    const hasUnit = /^\w+$/.test(unit) && family.endsWith(`_${unit}`) && !METRIC_TYPES[type].isState;
    const escaped = help.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
    return `# TYPE ${name} ${word}\n${hasUnit ? `# UNIT ${name} ${unit}\n` : ''}# HELP ${name} ${escaped}\n`;
  },
  linesOf(shape, snapshot, created) {
    const lines = valueLines(shape, snapshot);
    const hasCreated = created && snapshot.created !== undefined && shape.suffixes.includes('_created');
    return hasCreated ? [...lines, line(`${shape.family}_created`, 0, { value: 'created' })] : lines;
  },
  timestampOf: (seconds) => (Number.isFinite(seconds) ? seconds : Number.NaN),
  exemplars: true,
  end: '# EOF\n',
};

function valueLines({ family, word, sample }: Shape, snapshot: FamilySnapshot): Line[] {
  const { type } = snapshot.family;
  if (type === 'summary') return summaryLines(family, snapshot);
  if (type === 'histogram') return histogramLines(family, '_sum', '_count', snapshot.family);
  if (type === 'gaugehistogram') return histogramLines(family, '_gsum', '_gcount', snapshot.family);
  return [word === 'counter' ? line(sample, 0, { exemplar: true, guard: 0 }) : line(sample, 0)];
}

/** Neither sums nor quantiles may be below zero. */
function summaryLines(name: string, { family, quantiles }: FamilySnapshot): Line[] {
  const own = quantiles === undefined ? [] : quantileLines(name, family.bounds, formatCanonical, 0);
  return [...own, line(`${name}_sum`, 0, { guard: 0 }), line(`${name}_count`, 1)];
}

/**
 * Sum and count are both there or both not. They are not with a bound below zero, since a sum may then shrink, nor
 * where the sum is below zero or not a number. The last bucket is the count.
 */
function histogramLines(
  name: string,
  sum: string,
  count: string,
  { type, bounds }: FamilyDescriptor,
): Line[] {
  const buckets = bucketLines(name, bounds, formatCanonical, true);
  const isSigned = bounds.some((bound) => bound < 0);
  if (isSigned && type === 'histogram') return buckets;
  const guard = isSigned ? -1 : bounds.length + 1;
  return [
    ...buckets,
    line(name + sum, bounds.length + 1, { guard }),
    line(name + count, bounds.length + 1, { value: 'count', guard }),
  ];
}

/** Families as OpenMetrics. */
export const encodeOpenMetrics: Encoder = (families, options) =>
  encodeFamilies(families, options, OPENMETRICS);
