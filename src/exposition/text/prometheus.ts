/**
 * Text format 0.0.4.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
import { METRIC_TYPES, withoutEnding } from '../../model/metric-types.js';
import { isLegacyMetricName } from '../../model/names.js';
import { quoted, type ShapesOf } from '../naming.js';
import { formatBound } from '../value.js';
import { bucketLines, type Dialect, quantileLines } from './dialect.js';
import { textEncoder } from './encode.js';

/** Names of families in this format and in protobuf. */
export const shapesOfText: ShapesOf = (name, type) => {
  const family = type === 'info' ? `${withoutEnding(name, '_info')}_info` : name;
  return [{ family, sample: family, ...METRIC_TYPES[type].text }];
};

const TEXT: Dialect = {
  shapesOf: shapesOfText,
  headerOf({ family, word }, { help }) {
    const name = isLegacyMetricName(family) ? family : quoted(family);
    const escaped = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
    return `# HELP ${name} ${escaped}\n# TYPE ${name} ${word}\n`;
  },
  linesOf({ family: name, sample }, { type, bounds }, { quantiles }) {
    switch (METRIC_TYPES[type].layout) {
      case 'summary':
        return [
          ...(quantiles ? quantileLines(name, bounds, formatBound) : []),
          { name: `${name}_sum`, cell: 0 },
          { name: `${name}_count`, cell: 1 },
        ];
      case 'buckets':
        return [
          ...bucketLines(name, bounds, formatBound, false),
          { name: `${name}_sum`, cell: bounds.length + 1 },
          { name: `${name}_count`, cell: bounds.length + 1, value: 'count' },
        ];
      default:
        return [{ name: sample, cell: 0 }];
    }
  },
  /** Milliseconds, in an int64. */
  timestampOf(seconds) {
    const milliseconds = Math.round(seconds * 1000) + 0;
    return Math.abs(milliseconds) < 2 ** 63 ? milliseconds : Number.NaN;
  },
  exemplars: false,
  end: '',
  namers: new Map(),
};

/** Encodes families in text format 0.0.4, or 1.0.0 where names are not escaped. */
export const encodeText = textEncoder(TEXT);
