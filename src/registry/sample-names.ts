/** The names of samples in an exposition: each belongs to one family. */
import type { FamilyDescriptor } from '../model/family.js';

/** What the samples of a family may have behind the family's name. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  gaugehistogram: ['_bucket', '_sum', '_count', '_gsum', '_gcount'],
  summary: ['_sum', '_count'],
  info: ['_info'],
};

/**
 * Every name that a sample of the family can have, and the family's own. Not `_created`, which formats write only
 * when they are asked to, and leave out where it is the name of something else.
 */
export function sampleNames({ name, type }: FamilyDescriptor): string[] {
  const base = type === 'info' ? name.replace(/_info$/, '') : name;
  return [name, ...(SUFFIXES[type] ?? []).map((suffix) => base + suffix)];
}
