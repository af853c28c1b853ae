/** Numbers as text. */

/**
 * Returns a sample value as text: the shortest digits that read back as the same float64, and Prometheus' words for
 * infinities and NaN.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
 */
export function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/**
 * Returns the value of `le` or `quantile` as text. It is part of a series' identity, so it is spelled as in other
 * clients, like Go's `strconv.FormatFloat(value, 'g', -1, 64)`: shortest digits, with an exponent of at least two
 * digits where the decimal exponent is below -4 or above 5. Examples: `1e+06`, `0.0001`, `1e-05`.
 */
export function formatBound(value: number): string {
  if (!Number.isFinite(value)) return formatValue(value);
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  if (Number(exponent) >= -4 && Number(exponent) < 6) return formatValue(value);
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

/** Returns the spelling of OpenMetrics: {@link formatBound}, with `.0` if it has neither a point nor an exponent. */
export function formatCanonical(value: number): string {
  const text = formatBound(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const ZERO = 48;
const MAX_DIGITS = 10;

/** Maximum bytes of a sample value. */
export const MAX_VALUE_BYTES = 25;

/** Writes the text of {@link formatValue} at `at` and returns the offset after it. */
export function writeValue(bytes: Uint8Array, at: number, value: number): number {
  const integer = value | 0;
  if (integer === value && integer >= 0 && !Object.is(value, -0)) return writeDigits(bytes, at, integer);
  const text = formatValue(value);
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Writes a small count, as most sample values are, without making a string. */
function writeDigits(bytes: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let power = 10; digits < MAX_DIGITS && value >= power; power *= 10) digits += 1;
  let rest = value;
  for (let place = at + digits - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0;
    bytes[place] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}
