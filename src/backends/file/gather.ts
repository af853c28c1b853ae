/** What was found in the files and in memory, family by family. */
import type { FamilyDescriptor } from '../../model/family.js';
import type { MergeSource } from '../merge.js';
import type { MemorySources } from './memory-sources.js';
import type { MetricsFile } from './reader.js';

export interface GatheredFamily {
  readonly key: string;
  readonly family: FamilyDescriptor;
  readonly sources: MergeSource[];
  /** Those that are not this thread's own. */
  readonly others: MergeSource[];
}

/**
 * By family key, in the order in which the families came.
 *
 * @param ownFile - the id of this process's file
 */
export function gather(
  files: readonly MetricsFile[],
  memory: MemorySources,
  ownFile: string | undefined,
): Map<string, GatheredFamily> {
  const gathered = new Map<string, GatheredFamily>();
  const own = String(process.pid);
  const add = (key: string, family: FamilyDescriptor, source: MergeSource, isOurs: boolean) => {
    let known = gathered.get(key);
    if (known === undefined) {
      known = { key, family, sources: [], others: [] };
      gathered.set(key, known);
    }
    known.sources.push(source);
    if (!isOurs || source.writer.id !== own) known.others.push(source);
  };
  for (const file of files) {
    for (const table of file.tables()) add(table.key, table.family, table, file.id === ownFile);
  }
  for (const { key, family, source } of memory.all()) add(key, family, source, true);
  return gathered;
}

/**
 * What others have, and this thread does not ask for: that of its own is nobody's business then. In the order in which
 * they have a right to their names: before those that only the dead knew, so that a new version of a program is
 * seen when the last of the old one is gone.
 */
export function livingFirst(gathered: ReadonlyMap<string, GatheredFamily>): GatheredFamily[] {
  const all = [...gathered.values()].filter(({ others }) => others.length > 0);
  const isLive = ({ others }: GatheredFamily) => others.some(({ writer }) => writer.live);
  return [...all.filter(isLive), ...all.filter((family) => !isLive(family))];
}
