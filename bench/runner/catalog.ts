/**
 * The modules of the cases, in the order of the report. A process that measures a case loads its module only,
 * since loading the others would take longer than the measurement.
 */
import type { Case } from '../case.js';

const MODULES = [
  'limits',
  'service',
  'increments',
  'labels',
  'observations',
  'start-up',
  'scrapes',
  'gap',
  'heap',
  'heap-by-type',
  'progress',
  'many-bars',
  'progress-thread',
  'streams',
  'file',
  'redis',
  'growth',
  'growth-fleets',
  'growth-bars',
];

/** A case and its address for another process. */
export interface LocatedCase extends Case {
  readonly module: string;
  /** The name of the case without the suffix of `--quick`. */
  readonly key: string;
}

async function casesOf(module: string): Promise<readonly Case[]> {
  return (await import(`../cases/${module}.js`)).CASES;
}

export async function loadCases(): Promise<LocatedCase[]> {
  const loaded = await Promise.all(
    MODULES.map(async (module) => (await casesOf(module)).map((one) => ({ ...one, module, key: one.name }))),
  );
  return loaded.flat();
}

export async function findCase({ module, key }: Pick<LocatedCase, 'module' | 'key'>): Promise<Case> {
  return (await casesOf(module)).find(({ name }) => name === key)!;
}
