/** The names of samples in an exposition: each belongs to one family. */
import type { FamilyDescriptor } from '../model/family.js';

/** What the samples of a family may have behind the family's name. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['_sum', '_count'],
};

/** Every name that a sample of the family can have. */
export function sampleNames({ name, type }: FamilyDescriptor): string[] {
  return [name, ...(SUFFIXES[type] ?? []).map((suffix) => name + suffix)];
}
