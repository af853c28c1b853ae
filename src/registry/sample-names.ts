/** The names of samples in an exposition: each belongs to one family. */
import type { FamilyDescriptor } from '../model/family.js';

const BUCKETS = ['_bucket', '_sum', '_count', '_created'];

/** What the samples of a family may have behind the family's name. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_created'],
  histogram: BUCKETS,
  gaugehistogram: ['_gcount', '_gsum', ...BUCKETS],
  summary: ['_sum', '_count', '_created'],
  info: ['_info'],
};

/** Every name that a sample of the family can have, and the family's own. */
export function sampleNames({ name, type }: FamilyDescriptor): string[] {
  const own = type === 'counter' ? '_total' : type === 'info' ? '_info' : '';
  const base = name.endsWith(own) ? name.slice(0, name.length - own.length) : name;
  return [name, ...(SUFFIXES[type] ?? []).map((suffix) => base + suffix)];
}
