/**
 * OpenMetrics 1.0.0.
 *
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
import { METRIC_TYPES, withoutEnding } from '../../model/metric-types.js';
import { isLegacyLabelName, isLegacyMetricName } from '../../model/names.js';
import { createNamers, quoted, type ShapesOf } from '../naming.js';
import { formatCanonical } from '../value.js';
import type { FamilyText } from './dialect.js';
import { textEncoder } from './encode.js';

/** @param created - whether created times are written, which reserves the names of their samples */
const shapesOf =
  (created: boolean): ShapesOf =>
  (name, type) => {
    const { word, suffixes: all } = METRIC_TYPES[type].openmetrics;
    const suffixes = created ? all : all.filter((suffix) => suffix !== '_created');
    const shape = { family: name, sample: name, word, suffixes };
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
    // A stateset needs a label with the name of the family. Label names cannot contain colons, so a stateset with a
    // colon in its name becomes a gauge.
    const isNamed = !isLegacyMetricName(name) || isLegacyLabelName(name);
    return [type === 'stateset' && !isNamed ? { ...shape, word: 'gauge' } : shape];
  };

const namersOf = {
  true: createNamers<FamilyText>(shapesOf(true)),
  false: createNamers<FamilyText>(shapesOf(false)),
};

/** Encodes families as OpenMetrics. */
export const encodeOpenMetrics = textEncoder({
  isStrict: true,
  namerOf: (escaping, created) => namersOf[`${created}`](escaping),
  headerOf({ family, word }, { help, unit, type }) {
    const name = isLegacyMetricName(family) ? family : quoted(family);
    const hasUnit = /^\w+$/.test(unit) && family.endsWith(`_${unit}`) && !METRIC_TYPES[type].isState;
    const escaped = help.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
    return `# TYPE ${name} ${word}\n${hasUnit ? `# UNIT ${name} ${unit}\n` : ''}# HELP ${name} ${escaped}\n`;
  },
  formatBound: formatCanonical,
  timestampOf: (seconds) => (Number.isFinite(seconds) ? seconds : Number.NaN),
  end: '# EOF\n',
  lines: new WeakMap(),
});
