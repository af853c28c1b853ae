/** The rules of OpenMetrics for the samples of a family. */
import type { MetricType } from '../../model/metric-types.js';
import type { SampleLine } from './line.js';

/** The format of a text, and whether all of its rules apply. */
export interface ParseRules {
  readonly isOpenMetrics: boolean;
  readonly isStrict: boolean;
}

/** Throws an error that names what was expected. */
export type Refuse = (expected: string) => never;

/** Checks the samples of one family, in the order of the text. */
export class SampleRules {
  /** Whether all rules of OpenMetrics apply. */
  readonly areAll: boolean;
  readonly #family: { readonly name: string; readonly type: MetricType | undefined };
  readonly #given: ParseRules;
  readonly #refuse: Refuse;
  /** The labels of all series so far. Kept only if all rules apply. */
  readonly #begun = new Set<string>();
  /** The labels of the current series. */
  #current: string | undefined;
  /** The timestamp of the last sample. */
  #time: number | undefined;

  constructor(
    family: { readonly name: string; readonly type: MetricType | undefined },
    rules: ParseRules,
    refuse: Refuse,
  ) {
    this.#family = family;
    this.#given = rules;
    this.#refuse = refuse;
    this.areAll = rules.isOpenMetrics && rules.isStrict;
  }

  /**
   * Checks a sample that repeats an earlier sample of its series. As in Prometheus, the first sample counts.
   * OpenMetrics allows repeated timestamps, since timestamps may differ only in digits that a reader does not keep.
   */
  checkRepeated({ timestamp }: SampleLine): void {
    const isAllowed = !this.#given.isStrict || (this.#given.isOpenMetrics && timestamp !== undefined);
    if (!isAllowed) this.#refuse('each series once');
  }

  checkCount(value: number): void {
    if (!(value >= 0)) this.#refuse('a count of at least 0');
    if (this.areAll && !Number.isInteger(value)) this.#refuse('a whole count');
  }

  checkValue(place: string, value: number, { labels }: SampleLine): void {
    const { name, type } = this.#family;
    if (place === 'count') this.checkCount(value);
    if (place === 'sum' && this.areAll) {
      if (Number.isNaN(value)) this.#refuse('a sum that is a number');
      if (value < 0 && type !== 'gaugehistogram') this.#refuse('a sum of at least 0');
    }
    if (place === 'created' && !Number.isFinite(value)) this.#refuse('a time in seconds');
    if (type === 'counter' && place === 'value' && !(value >= 0)) this.#refuse('a number of at least 0');
    if (type === 'info' && value !== 1) this.#refuse('an info, which is always 1');
    if (type !== 'stateset') return;
    if (!labels.has(name)) this.#refuse(`a label ${name} with the state`);
    if (value !== 0 && value !== 1) this.#refuse('a state, which is 0 or 1');
  }

  /**
   * Checks that the samples of a series are adjacent, and that either none of the samples has a timestamp, or all have
   * timestamps that do not decrease.
   */
  checkOrder(
    pairs: readonly (readonly [string, string])[],
    identity: string,
    timestamp: number | undefined,
  ): void {
    const { name, type } = this.#family;
    // The labels of an info are its value, and a label of a stateset is its state.
    if (type === 'info') return;
    const isSet = type === 'stateset';
    const key = isSet ? JSON.stringify(pairs.filter(([label]) => label !== name)) : identity;
    if (key === this.#current) {
      if ((timestamp === undefined) !== (this.#time === undefined)) {
        this.#refuse('a timestamp for each sample of a series, or for none');
      }
      if (timestamp !== undefined && timestamp < this.#time!) this.#refuse('timestamps that do not decrease');
    } else if (this.#begun.has(key)) this.#refuse('all samples of a series side by side');
    this.#begun.add(key);
    this.#current = key;
    this.#time = timestamp;
  }

  /** Checks the sum of a histogram against its bounds. Without a bound below zero, no observation is below zero. */
  checkSum(sum: number, points: ReadonlyMap<number, number>): void {
    const isSigned = [...points.keys()].some((bound) => bound < 0);
    if (isSigned && this.#family.type === 'histogram') this.#refuse('no sum beside a bucket below zero');
    if (!isSigned && sum < 0) this.#refuse('a sum of at least 0 without a bucket below zero');
  }
}
