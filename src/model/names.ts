/**
 * Names and help texts of metrics, and names of labels.
 *
 * @see https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels
 */
import { MetheusError, type MetheusErrorCode, show } from '../errors.js';

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Reports whether every reader accepts a name. Other names are escaped for readers that do not support UTF-8 names. */
export const isLegacyMetricName = (name: string): boolean => METRIC_NAME.test(name);
export const isLegacyLabelName = (name: string): boolean => LABEL_NAME.test(name);

/**
 * Labels that histograms and summaries write. They are refused for every type, so that a metric can change its type.
 */
const RESERVED_LABELS: ReadonlySet<string> = new Set(['le', 'quantile']);

/** Reports whether this is a valid name. With `utf8Names`, any text that can be encoded as UTF-8 is one. */
const isName = (name: unknown, pattern: RegExp, utf8Names: boolean | undefined): name is string =>
  typeof name === 'string' && (utf8Names ? name !== '' && name.isWellFormed() : pattern.test(name));

const rule = (pattern: RegExp) =>
  `a name that matches ${pattern.source}, or any well-formed text where utf8Names is true`;

/** @throws `METHEUS_INVALID_METRIC_NAME` */
export function checkMetricName(name: unknown, utf8Names?: boolean): asserts name is string {
  if (isName(name, METRIC_NAME, utf8Names)) return;
  throw new MetheusError('METHEUS_INVALID_METRIC_NAME', { given: show(name), expected: rule(METRIC_NAME) });
}

/** @throws `METHEUS_INVALID_HELP` */
export function checkHelp(name: string, help: unknown): asserts help is string {
  if (typeof help === 'string') return;
  throw new MetheusError('METHEUS_INVALID_HELP', {
    given: `${show(help)} for metric '${name}'`,
    expected: 'a string that says what the metric counts',
  });
}

/** @throws `METHEUS_INVALID_LABEL_NAME`, `METHEUS_RESERVED_LABEL_NAME`, `METHEUS_DUPLICATE_LABEL_NAME` */
export function checkLabelNames(
  metric: string,
  names: readonly unknown[],
  utf8Names?: boolean,
): asserts names is readonly string[] {
  for (const [i, name] of names.entries()) {
    const refuse = (code: MetheusErrorCode, expected: string) =>
      new MetheusError(code, { given: `${show(name)} on metric '${metric}'`, expected });
    if (!isName(name, LABEL_NAME, utf8Names)) {
      throw refuse('METHEUS_INVALID_LABEL_NAME', rule(LABEL_NAME));
    }
    if (name.startsWith('__') || RESERVED_LABELS.has(name)) {
      const expected = "a name that does not start with '__' and is neither 'le' nor 'quantile'";
      throw refuse('METHEUS_RESERVED_LABEL_NAME', expected);
    }
    if (names.indexOf(name) < i) {
      throw refuse('METHEUS_DUPLICATE_LABEL_NAME', 'each label name once');
    }
  }
}
