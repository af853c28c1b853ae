/** Options of native histograms and of summaries with quantiles, and the {@link NativeRule} made from them. */
import type { FamilyDescriptor } from '../../model/family.js';
import { BLOCK_SIZE, blockFamily } from '../../model/native/blocks.js';
import { COARSEST_SCHEMA, FINEST_SCHEMA, schemaOf } from '../../model/native/powers.js';
import { areQuantiles, checkOptionNames, invalidOption } from '../../model/options.js';

/** Options of a native histogram. */
export interface NativeOptions {
  /** The maximum ratio of one bound to the bound before it. @defaultValue `1.1` */
  readonly factor?: number;
  /** The resolution, from -4 to 8, instead of `factor`: the ratio of bounds is `2 ** 2 ** -schema`. */
  readonly schema?: number;
  /**
   * The maximum number of buckets of a series, beyond which they are merged. `Infinity`: no limit. @defaultValue `160`
   */
  readonly maxBuckets?: number;
  /** Values of at most this distance from zero share one bucket. @defaultValue `2 ** -128` */
  readonly zeroThreshold?: number;
  /**
   * The width up to which the zero bucket is widened before others are merged. @defaultValue `0`: it is never widened
   */
  readonly maxZeroThreshold?: number;
  /**
   * Seconds after which a series that has too many buckets is reset instead of merging buckets. The reset includes its
   * sum and count. @defaultValue `0`: no resets
   */
  readonly minResetDuration?: number;
  /** The maximum number of exemplars of a series besides those of classic buckets, up to 32. @defaultValue `10` */
  readonly maxExemplars?: number;
  /** Seconds after which an exemplar is replaced before all others. @defaultValue `300` */
  readonly maxExemplarAge?: number;
}

/** Options of a summary with quantiles. */
export interface QuantileOptions {
  /** The maximum relative error of an estimate, from 0.0014 to 0.5. @defaultValue `0.01` */
  readonly relativeError?: number;
  /** Seconds for which a value counts. `Infinity`: no limit. @defaultValue `600` */
  readonly maxAge?: number;
  /** The number of age buckets within `maxAge`. The oldest one is dropped as a whole. @defaultValue `5` */
  readonly ageBuckets?: number;
}

/** The rule by which a family counts in native buckets. */
export interface NativeRule {
  /** The hidden family of the blocks. */
  readonly blockFamily: FamilyDescriptor;
  readonly schema: number;
  readonly zeroThreshold: number;
  /** 0 means no limit. */
  readonly maxBuckets: number;
  /** In seconds; 0 means never. */
  readonly minResetDuration: number;
  /** Length of an age bucket in seconds, and the number of age buckets. 0 seconds if values do not age. */
  readonly ageSeconds: number;
  readonly ageBuckets: number;
  /** See {@link NativeOptions}. */
  readonly maxExemplars: number;
  readonly maxExemplarAge: number;
}

/** The default, minimum and maximum of an option, and whether it must be an integer. */
type Range = readonly [fallback: number, min: number, max: number, isInteger?: boolean];

const FINITE = Number.MAX_VALUE;
const UNLIMITED = Number.POSITIVE_INFINITY;
const ZERO_THRESHOLD = 2 ** -128;

const HISTOGRAM = {
  factor: [1.1, 1.0001, 65536],
  maxBuckets: [160, 1, UNLIMITED],
  zeroThreshold: [ZERO_THRESHOLD, 0, FINITE],
  maxZeroThreshold: [0, 0, FINITE],
  minResetDuration: [0, 0, UNLIMITED],
  maxExemplars: [10, 0, BLOCK_SIZE, true],
  maxExemplarAge: [300, 0, UNLIMITED],
} satisfies Record<string, Range>;

const SUMMARY = {
  relativeError: [0.01, 0.0014, 0.5],
  maxAge: [600, 1, UNLIMITED],
  ageBuckets: [5, 1, 100, true],
} satisfies Record<string, Range>;

function checkNumbers<Name extends string>(
  metric: string,
  given: object,
  ranges: Readonly<Record<Name, Range>>,
): Record<Name, number> {
  const checked = {} as Record<Name, number>;
  for (const [name, [fallback, min, max, isInteger]] of Object.entries<Range>(ranges)) {
    const value = (given as Readonly<Record<string, unknown>>)[name] ?? fallback;
    if (typeof value !== 'number' || !(value >= min && value <= max) || (isInteger && value % 1)) {
      throw invalidOption(metric, name, value, `a${isInteger ? ' whole' : ''} number from ${min} to ${max}`);
    }
    checked[name as Name] = value;
  }
  return checked;
}

/**
 * Returns the rule of a native histogram or of a summary with quantiles; undefined for other metrics.
 *
 * @throws `METHEUS_INVALID_OPTIONS`
 */
export function nativeRule(
  family: FamilyDescriptor,
  options: { readonly native?: unknown },
): NativeRule | undefined {
  const { native = false } = options;
  if (family.type === 'histogram' && native !== false) return histogramRule(family, native);
  if (family.type !== 'summary') return undefined;
  if (family.bounds.length > 0) return summaryRule(family, options);
  for (const [name, value] of Object.entries(options)) {
    if (name in SUMMARY && value !== undefined) {
      throw invalidOption(family.name, name, value, 'quantiles beside it, since it applies to them');
    }
  }
  return undefined;
}

/** @throws `METHEUS_INVALID_OPTIONS` */
export function checkQuantiles(metric: string, quantiles: unknown): number[] {
  if (Array.isArray(quantiles) && quantiles.length > 0 && areQuantiles(quantiles)) return [...quantiles];
  throw invalidOption(metric, 'quantiles', quantiles, 'at least one number from 0 to 1, ascending');
}

function histogramRule(family: FamilyDescriptor, native: unknown): NativeRule {
  const { name } = family;
  const given = native === true ? {} : native;
  if (typeof given !== 'object' || given === null) {
    throw invalidOption(name, 'native', native, 'true, false or an object');
  }
  checkOptionNames(`native of histogram '${name}'`, given, [...Object.keys(HISTOGRAM), 'schema']);
  const { factor, maxBuckets, maxZeroThreshold, ...rest } = checkNumbers(name, given, HISTOGRAM);
  const limit = maxBuckets === UNLIMITED ? 0 : maxBuckets;
  return {
    ...rest,
    ...checkNumbers(name, given, { schema: [schemaOf(factor), COARSEST_SCHEMA, FINEST_SCHEMA, true] }),
    blockFamily: blockFamily(family, [limit, maxZeroThreshold]),
    maxBuckets: limit,
    ageSeconds: 0,
    ageBuckets: 1,
  };
}

function summaryRule(family: FamilyDescriptor, options: object): NativeRule {
  const { relativeError, maxAge, ageBuckets } = checkNumbers(family.name, options, SUMMARY);
  const ageSeconds = maxAge === UNLIMITED ? 0 : maxAge / ageBuckets;
  return {
    blockFamily: blockFamily(family, [ageSeconds, ageBuckets], ageSeconds > 0),
    // The coarsest schema in which every estimate is within the relative error, see `quantilesOf`.
    schema: schemaOf((1 + relativeError) / (1 - relativeError)),
    zeroThreshold: ZERO_THRESHOLD,
    maxBuckets: 0,
    minResetDuration: 0,
    ageSeconds,
    ageBuckets,
    maxExemplars: 0,
    maxExemplarAge: 0,
  };
}
