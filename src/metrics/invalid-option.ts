/** The error of an option that is not as it should be. */
import { MetheusError, show } from '../errors.js';

export function invalidOption(
  metric: string,
  option: string,
  given: unknown,
  expected: string,
): MetheusError {
  return new MetheusError('METHEUS_INVALID_OPTIONS', {
    given: `${option}: ${show(given)} for metric '${metric}'`,
    expected,
  });
}
