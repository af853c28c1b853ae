/** What text formats differ in. All else, the rows above all, is written by the same code. */
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import type { MetricType } from '../../model/metric-types.js';
import type { Line } from './line.js';

/** What a family is called in an exposition. */
export interface Shape {
  /** In the lines about it. */
  readonly family: string;
  /** The word for its type. */
  readonly word: string;
  /** The name of its samples, where they have only one. */
  readonly sample: string;
  /** What samples may have behind the name of the family. No other family may be called so. */
  readonly suffixes: readonly string[];
}

export interface Dialect {
  /** What a family of this name and type is called, best first: the next where another has taken a name of it. */
  shapesOf(name: string, type: MetricType): readonly [Shape, ...Shape[]];
  /** The lines about the family. */
  headerOf(shape: Shape, family: FamilyDescriptor): string;
  /** The lines of each series, in order. */
  linesOf(shape: Shape, snapshot: FamilySnapshot, created: boolean): readonly Line[];
  /** Unix seconds as the format writes times; NaN for a time that it cannot write. */
  timestampOf(seconds: number): number;
  /** Whether a value may have any of these. */
  readonly exemplars: boolean;
  /** What comes behind the last family. */
  readonly end: string;
}
