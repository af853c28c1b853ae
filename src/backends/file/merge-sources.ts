/** The sources of a merge: the tables of all files, and those of series that are in memory. */
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { CellRequest, Cells, Writer } from '../backend.js';
import { CellTable } from '../cell-table.js';
import type { MergeSource } from '../merge.js';
import type { MetricsFile } from './metrics-file.js';

const SELF: Writer = { id: String(process.pid), live: true };

/** The series in memory of one family and one writer. */
interface MemoryTable {
  readonly key: string;
  readonly family: FamilyDescriptor;
  readonly table: CellTable;
}

/** Series of this process that are not in its file: on a full disk, for instance, or when it only reads. */
export class MemorySources {
  tables: MemoryTable[] = [];

  reserve({ family, labels, writer = SELF, created }: CellRequest): Cells {
    const key = familyKey(family);
    let known = this.tables.find((other) => other.key === key && other.table.writer === writer);
    if (known === undefined) {
      known = { key, family, table: new CellTable(family, writer) };
      this.tables.push(known);
    }
    return known.table.reserve(labels, created);
  }

  /** Removes a series. Ignores cells of a file that was deleted. */
  release(cells: Cells): void {
    const table = this.tableOf(cells);
    table?.release(cells);
    if (table?.labels.count === 0) this.tables = this.tables.filter((other) => other.table !== table);
  }

  /** Returns the table that handed out the cells. */
  tableOf(cells: Cells): CellTable | undefined {
    return this.tables.find(({ table }) => table.owns(cells))?.table;
  }
}

export interface GatheredFamily {
  readonly key: string;
  readonly family: FamilyDescriptor;
  readonly sources: MergeSource[];
  /** The sources that other threads and processes write. */
  readonly others: MergeSource[];
}

/**
 * Returns the sources of all families by family key, in the order in which the families were found.
 *
 * @param ownFile - the id of this process's file
 */
export function gatherSources(
  files: readonly MetricsFile[],
  memory: MemorySources,
  ownFile: string | undefined,
): Map<string, GatheredFamily> {
  const gathered = new Map<string, GatheredFamily>();
  const add = (key: string, family: FamilyDescriptor, source: MergeSource, isOfProcess: boolean) => {
    const known = findOrCreate(gathered, key, () => ({ key, family, sources: [], others: [] }));
    known.sources.push(source);
    if (!isOfProcess || source.writer.id !== SELF.id) known.others.push(source);
  };
  for (const file of files) {
    for (const table of file.tables.values()) add(table.key, table.family, table, file.id === ownFile);
  }
  for (const { key, family, table } of memory.tables) add(key, family, table, true);
  return gathered;
}

/**
 * Returns the families in which other writers have series. Families with a living writer come first. If two families
 * have the same name, the first is served. So a new definition is served as soon as the last program with the old
 * definition has ended.
 */
export function livingFirst(gathered: ReadonlyMap<string, GatheredFamily>): GatheredFamily[] {
  const all = [...gathered.values()].filter(({ others }) => others.length > 0);
  const isLive = ({ others }: GatheredFamily) => others.some(({ writer }) => writer.live);
  return [...all.filter(isLive), ...all.filter((family) => !isLive(family))];
}
