/** How a family counts in native buckets, and what its upkeep knows of a series. */
import type { Cells } from '../../backends/backend.js';
import type { FamilyDescriptor } from '../../model/family.js';
import type { Labels } from '../../model/labels.js';
import type { Child } from '../metric-family.js';

export interface NativeRule {
  /** The hidden family of the blocks. */
  readonly parts: FamilyDescriptor;
  readonly schema: number;
  readonly zeroThreshold: number;
  /** 0: no limit. */
  readonly maxBuckets: number;
  /** Seconds; 0: never. */
  readonly minResetDuration: number;
  /** Seconds of an age bucket, and how many there are; 0 where nothing is forgotten. */
  readonly slotSeconds: number;
  readonly slots: number;
}

/** Whose buckets they are. */
export interface Observer extends Child {
  readonly descriptor: FamilyDescriptor;
  observe(value: number, exemplar?: Labels): void;
}

/** A series, for its upkeep. */
export interface Upkept {
  readonly rule: NativeRule;
  /** Who counts the sum beside it. */
  readonly owner: Observer;
  /** By the value of their label. */
  readonly blocks: ReadonlyMap<string, Cells>;
  /** How many buckets count something, the zero bucket aside. May be too many: the upkeep counts anew. */
  populated: number;
  /** Unix seconds of the beginning, or of the last reset. */
  since: number;
  readonly schema: number;
  readonly threshold: number;
  /** Counts from now on at this resolution. */
  use(schema: number, threshold: number): void;
}
