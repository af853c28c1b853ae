/**
 * Text format 0.0.4.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
import { METRIC_TYPES, withoutEnding } from '../../model/metric-types.js';
import { isLegacyMetricName } from '../../model/names.js';
import { createNamers, quoted, type ShapesOf } from '../naming.js';
import { formatBound } from '../value.js';
import { textEncoder } from './encode.js';

/** Names of families in this format and in protobuf. */
export const shapesOfText: ShapesOf = (name, type) => {
  const family = type === 'info' ? `${withoutEnding(name, '_info')}_info` : name;
  return [{ family, sample: family, ...METRIC_TYPES[type].text }];
};

/** Encodes families in text format 0.0.4, or 1.0.0 where names are not escaped. */
export const encodeText = textEncoder({
  isStrict: false,
  namerOf: createNamers(shapesOfText),
  headerOf({ family, word }, { help }) {
    const name = isLegacyMetricName(family) ? family : quoted(family);
    const escaped = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
    return `# HELP ${name} ${escaped}\n# TYPE ${name} ${word}\n`;
  },
  formatBound,
  /** Returns milliseconds; NaN if they do not fit into an int64. */
  timestampOf(seconds) {
    const milliseconds = Math.round(seconds * 1000) + 0;
    return Math.abs(milliseconds) < 2 ** 63 ? milliseconds : Number.NaN;
  },
  end: '',
  lines: new WeakMap(),
});
