/** The sources of a merge: the tables of all files, and those of series that are in memory. */
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../../model/family.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { CellRequest, Cells, Writer } from '../backend.js';
import { CellTable, SharedPages } from '../cell-table.js';
import { type BegunMerge, Merger, type MergeSource } from '../merge.js';
import { ARCHIVE_ID } from './directory.js';
import type { MetricsFile } from './metrics-file.js';
import { OwnTable } from './own-table.js';
import type { FileWriter } from './writer.js';

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
 * Returns the sources of all families by family key. Families are in the order in which they were found in the files,
 * where this process's own file is placed by its age.
 *
 * @param files - the files of other processes, the archive first, then by age
 * @param own - the file of this process, if it has one
 */
export function gatherSources(
  files: readonly MetricsFile[],
  own: FileWriter | undefined,
  memory: MemorySources,
): Map<string, GatheredFamily> {
  const gathered = new Map<string, GatheredFamily>();
  const add = (key: string, family: FamilyDescriptor, source: MergeSource, isOfProcess: boolean) => {
    let known = gathered.get(key);
    if (known === undefined) {
      known = { key, family, sources: [], others: [] };
      gathered.set(key, known);
    }
    known.sources.push(source);
    if (!isOfProcess || source.writer.id !== SELF.id) known.others.push(source);
  };
  const since = own?.created ?? Number.POSITIVE_INFINITY;
  let tables = own?.tables() ?? [];
  const addOwn = () => {
    for (const table of tables) if (table.labels.count > 0) add(table.key, table.family, table, true);
    tables = [];
  };
  for (const file of files) {
    // A file that could not be read has no owner, and no tables.
    if ((file.owner?.created ?? 0) > since && file.id !== ARCHIVE_ID) addOwn();
    for (const table of file.tables.values()) add(table.key, table.family, table, false);
  }
  addOwn();
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

/** Number of cells of the arrays that the snapshots of one read share. */
const SNAPSHOT_CELLS = 8192;

/** Merges the sources of families. Each merge reuses the row assignments of the previous merge of its family. */
export class FamilyMerges {
  readonly #mergers = new Map<string, Merger>();
  /** Cache of family keys by descriptor. */
  readonly #keys = new WeakMap<FamilyDescriptor, string>();

  keyOf(family: FamilyDescriptor): string {
    return findOrCreate(this.#keys, family, () => familyKey(family));
  }

  /**
   * Returns a function that begins the merge of a family and deletes the family from `gathered`. The function merges
   * all sources of the family unless given others.
   */
  begin(
    gathered: Map<string, GatheredFamily>,
  ): (family: FamilyDescriptor, sources?: readonly MergeSource[]) => BegunMerge | FamilySnapshot {
    const arrays = new SharedPages(SNAPSHOT_CELLS);
    return (family, given) => {
      const key = this.keyOf(family);
      const sources = given ?? gathered.get(key)?.sources ?? [];
      gathered.delete(key);
      const [only] = sources;
      // No merge is needed if only this process has the family, with each series in only one row.
      const isSimple = family.merge === 'add' || family.merge === 'shared';
      if (isSimple && sources.length === 1 && only instanceof OwnTable && only.isOf(family)) {
        return only.snapshot(family, arrays);
      }
      const begun = findOrCreate(this.#mergers, key, () => new Merger(family)).begin(sources);
      return async (slice) => ({ ...(await begun(slice)), family });
    };
  }
}
