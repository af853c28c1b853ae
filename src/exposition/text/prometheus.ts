/**
 * Text format 0.0.4.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { METRIC_TYPES, withoutEnding } from '../../model/metric-types.js';
import { isLegacyMetricName } from '../../model/names.js';
import type { Encoder } from '../encoder.js';
import { quoted } from '../escaping.js';
import { formatBound } from '../value.js';
import type { Dialect, Shape } from './dialect.js';
import { encodeFamilies } from './encode.js';
import { bucketLines, type Line, line, quantileLines } from './line.js';

export const TEXT: Dialect = {
  shapesOf(name, type) {
    const family = type === 'info' ? `${withoutEnding(name, '_info')}_info` : name;
    return [{ family, sample: family, ...METRIC_TYPES[type].text }];
  },
  headerOf({ family, word }, { help }) {
    const name = isLegacyMetricName(family) ? family : quoted(family);
    const escaped = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
    return `# HELP ${name} ${escaped}\n# TYPE ${name} ${word}\n`;
  },
  linesOf({ family, sample }, snapshot) {
    const { layout } = METRIC_TYPES[snapshot.family.type];
    if (layout === 'summary') return summaryLines(family, snapshot);
    if (layout === 'buckets') return histogramLines(family, snapshot.family);
    return [line(sample, 0)];
  },
  /** Milliseconds, in an int64. */
  timestampOf(seconds) {
    const milliseconds = Math.round(seconds * 1000) + 0;
    return Math.abs(milliseconds) < 2 ** 63 ? milliseconds : Number.NaN;
  },
  exemplars: false,
  end: '',
};

function summaryLines(name: Shape['family'], { family, quantiles }: FamilySnapshot): Line[] {
  const own = quantiles === undefined ? [] : quantileLines(name, family.bounds, formatBound);
  return [...own, line(`${name}_sum`, 0), line(`${name}_count`, 1)];
}

function histogramLines(name: Shape['family'], { bounds }: FamilyDescriptor): Line[] {
  return [
    ...bucketLines(name, bounds, formatBound, false),
    line(`${name}_sum`, bounds.length + 1),
    line(`${name}_count`, bounds.length + 1, { value: 'count' }),
  ];
}

/** Families in text format 0.0.4, or 1.0.0 where names are not escaped. */
export const encodeText: Encoder = (families, options) => encodeFamilies(families, options, TEXT);
