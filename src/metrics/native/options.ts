/** Options of native histograms and of summaries with quantiles, and the rule that follows from them. */
import type { FamilyDescriptor } from '../../model/family.js';
import { partsFamily } from '../../model/native/parts.js';
import { COARSEST_SCHEMA, FINEST_SCHEMA, schemaOf } from '../../model/native/powers.js';
import { invalidOption } from '../invalid-option.js';
import type { NativeRule } from './rule.js';

/** How a native histogram counts. */
export interface NativeOptions {
  /** By how much one bound may be greater than the one before it, at most. @defaultValue 1.1 */
  readonly factor?: number;
  /** The resolution, -4 to 8, instead of `factor`: bounds are `2 ** 2 ** -schema` apart. */
  readonly schema?: number;
  /** Where a series has more buckets, they become fewer and wider. `Infinity`: no limit. @defaultValue 160 */
  readonly maxBuckets?: number;
  /** Values of at most this distance from zero share one bucket. @defaultValue 2 ** -128 */
  readonly zeroThreshold?: number;
  /** How far that bucket may be widened before others are. @defaultValue 0, which is: not at all */
  readonly maxZeroThreshold?: number;
  /**
   * Seconds after which a series that has too many buckets starts anew, rather than with wider ones. Sum and
   * count start anew too. @defaultValue 0, which is: never
   */
  readonly minResetDuration?: number;
}

/** How a summary estimates quantiles. */
export interface QuantileOptions {
  /** By how much of itself an estimate may be off: 0.0014 to 0.5. @defaultValue 0.01 */
  readonly relativeError?: number;
  /** Seconds for which a value counts. `Infinity`: for good. @defaultValue 600 */
  readonly maxAge?: number;
  /** In how many steps values are forgotten. @defaultValue 5 */
  readonly ageBuckets?: number;
}

/** What is given when nothing is, the least and the greatest, and whether it is a whole number. */
type Range = readonly [fallback: number, least: number, most: number, isWhole?: boolean];

const FINITE = Number.MAX_VALUE;
const ENDLESS = Number.POSITIVE_INFINITY;
const ZERO_THRESHOLD = 2 ** -128;

const HISTOGRAM = {
  factor: [1.1, 1.0001, 65536],
  maxBuckets: [160, 1, ENDLESS],
  zeroThreshold: [ZERO_THRESHOLD, 0, FINITE],
  maxZeroThreshold: [0, 0, FINITE],
  minResetDuration: [0, 0, ENDLESS],
} satisfies Record<string, Range>;

const SUMMARY = {
  relativeError: [0.01, 0.0014, 0.5],
  maxAge: [600, 1, ENDLESS],
  ageBuckets: [5, 1, 100, true],
} satisfies Record<string, Range>;

function read<Name extends string>(
  metric: string,
  given: object,
  ranges: Readonly<Record<Name, Range>>,
): Record<Name, number> {
  const read = {} as Record<Name, number>;
  for (const [name, [fallback, least, most, isWhole]] of Object.entries<Range>(ranges)) {
    const value = (given as Readonly<Record<string, unknown>>)[name] ?? fallback;
    if (typeof value !== 'number' || !(value >= least && value <= most) || (isWhole && value % 1)) {
      throw invalidOption(metric, name, value, `a${isWhole ? ' whole' : ''} number from ${least} to ${most}`);
    }
    read[name as Name] = value;
  }
  return read;
}

/** @throws `METHEUS_INVALID_OPTIONS` */
export function histogramRule(family: FamilyDescriptor, native: unknown): NativeRule {
  const { name } = family;
  const given = native === true ? {} : native;
  if (typeof given !== 'object' || given === null) {
    throw invalidOption(name, 'native', native, 'true, false or an object');
  }
  const { factor, maxBuckets, maxZeroThreshold, ...rest } = read(name, given, HISTOGRAM);
  const limit = maxBuckets === ENDLESS ? 0 : maxBuckets;
  return {
    ...rest,
    ...read(name, given, { schema: [schemaOf(factor), COARSEST_SCHEMA, FINEST_SCHEMA, true] }),
    parts: partsFamily(family, [limit, maxZeroThreshold]),
    maxBuckets: limit,
    slotSeconds: 0,
    slots: 1,
  };
}

/** @throws `METHEUS_INVALID_OPTIONS` */
export function checkQuantiles(metric: string, quantiles: unknown): number[] {
  const isRight =
    Array.isArray(quantiles) &&
    quantiles.length > 0 &&
    quantiles.every((q, i) => typeof q === 'number' && q >= 0 && q <= 1 && !(q <= quantiles[i - 1]));
  if (isRight) return [...quantiles];
  throw invalidOption(metric, 'quantiles', quantiles, 'at least one number from 0 to 1, ascending');
}

/** @throws `METHEUS_INVALID_OPTIONS` */
export function summaryRule(family: FamilyDescriptor, options: object): NativeRule {
  const { relativeError, maxAge, ageBuckets } = read(family.name, options, SUMMARY);
  const slotSeconds = maxAge === ENDLESS ? 0 : maxAge / ageBuckets;
  return {
    parts: partsFamily(family, [slotSeconds, ageBuckets], slotSeconds > 0),
    // Bounds so far apart that what lies between them, equally far by ratio, is off by that much.
    schema: schemaOf((1 + relativeError) / (1 - relativeError)),
    zeroThreshold: ZERO_THRESHOLD,
    maxBuckets: 0,
    minResetDuration: 0,
    slotSeconds,
    slots: ageBuckets,
  };
}
