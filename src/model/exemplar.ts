/** The labels of exemplars. */
import { MetheusError, show } from '../errors.js';
import { labelString } from './labels.js';
import { isLegacyLabelName } from './names.js';

/** @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md#exemplars */
export const MAX_CODE_POINTS = 128;

/**
 * Maximum bytes of an exemplar's labels as JSON. They have at most 128 code points, and each takes at most 7 bytes: a
 * name of one character with an empty value is `"a":"",`.
 */
export const MAX_EXEMPLAR_BYTES = 904;

/** Returns the number of code points in the names and values of an exemplar's labels. */
export function codePointsOf(labels: Iterable<readonly [name: string, value: string]>): number {
  let count = 0;
  for (const [name, value] of labels) count += [...name, ...value].length;
  return count;
}

/**
 * Returns the labels of an exemplar as text.
 *
 * @param mayBeEmpty - whether the exemplar may have no labels, which is allowed for exemplars of other programs
 * @throws `METHEUS_INVALID_EXEMPLAR` when they are not an object, are empty, have a name that not every reader accepts,
 * or have more than 128 code points including their names; `METHEUS_INVALID_LABEL_VALUE`
 */
export function exemplarLabels(
  metric: string,
  given: unknown,
  mayBeEmpty = false,
): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  if (typeof given !== 'object' || given === null)
    throw invalidExemplar(metric, given, 'an object with labels');
  let text = '';
  for (const name of Object.keys(given)) {
    if (!isLegacyLabelName(name))
      throw invalidExemplar(metric, given, "label names of letters, digits and '_'");
    const value = labelString(metric, name, (given as Record<string, unknown>)[name]);
    labels[name] = value;
    text += name + value;
  }
  if (text === '' && !mayBeEmpty) throw invalidExemplar(metric, given, 'at least one label');
  // A text has at most as many code points as code units, and counting code points takes longer.
  if (text.length <= MAX_CODE_POINTS) return labels;
  const length = codePointsOf(Object.entries(labels));
  if (length <= MAX_CODE_POINTS) return labels;
  const expected = `at most ${MAX_CODE_POINTS} code points in all names and values, not ${length}`;
  throw invalidExemplar(metric, given, expected);
}

function invalidExemplar(metric: string, given: unknown, expected: string): MetheusError {
  return new MetheusError('METHEUS_INVALID_EXEMPLAR', {
    given: `${show(given)} to metric '${metric}'`,
    expected,
  });
}
