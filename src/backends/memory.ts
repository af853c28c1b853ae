/** The default backend: cells in the private memory of this process. */
import { type Exemplar, type FamilyDescriptor, type FamilySnapshot, familyKey } from '../model/family.js';
import { METRIC_TYPES } from '../model/metric-types.js';
import { checkOptionNames } from '../model/options.js';
import { findOrCreate } from '../system/find-or-create.js';
import { TimeSlice } from '../system/time-slice.js';
import type { Backend, CellRequest, Cells, SnapshotRequest, Writer } from './backend.js';
import { CellTable, SharedPages } from './cell-table.js';
import { type CellExemplars, ExemplarTable } from './exemplar-table.js';
import type { BegunMerge, Merger } from './merge.js';

/** This thread as a writer. */
const SELF: Writer = { id: String(process.pid), live: true };

/** Number of cells of the pages that families share, and of the arrays that snapshots share. */
const PAGE_CELLS = 1024;
const SNAPSHOT_CELLS = 8192;

/** The cells of this thread in a family, and the merger that adds those of other writers. */
class OwnTable extends CellTable {
  merger: Merger | undefined;
  #key: string | undefined;

  get key(): string {
    this.#key ??= familyKey(this.family);
    return this.#key;
  }
}

/** The cells of other writers in a family. */
interface OthersFamily {
  readonly family: FamilyDescriptor;
  merger?: Merger;
  sources: CellTable[];
}

/** Keeps numbers in this process. The thread bridge adds those of worker threads as numbers of other writers. */
export class SingleProcessBackend implements Backend {
  readonly config: Readonly<Record<string, unknown>> = Object.freeze({});
  readonly storage = '';
  readonly #own = new WeakMap<FamilyDescriptor, OwnTable>();
  readonly #others = new Map<string, OthersFamily>();
  readonly #pages = new SharedPages(PAGE_CELLS);
  #merge: typeof import('./merge.js') | undefined;
  /** Made with the first exemplar. */
  #exemplars: ExemplarTable | undefined;

  /** @throws `METHEUS_INVALID_OPTIONS` for any option, since there are none */
  constructor(config: Readonly<Record<string, never>> = {}) {
    checkOptionNames('SingleProcessBackend', config, []);
  }

  reserve({ family, labels, writer, created }: CellRequest): Cells {
    if (writer === undefined) return this.#ownOf(family).reserve(labels, created);
    const { sources } = this.#othersOf(family);
    let source = sources.find((known) => known.writer === writer);
    if (source === undefined) {
      source = new CellTable(family, writer);
      sources.push(source);
    }
    return source.reserve(labels, created);
  }

  release(family: FamilyDescriptor, cells: Cells): void {
    this.#exemplars?.release(cells);
    const source = this.#sourceOf(family, cells);
    source?.release(cells);
    if (source?.writer === SELF) return;
    const others = this.#othersOf(family);
    others.sources = others.sources.filter(({ labels }) => labels.count > 0);
  }

  createdOf(family: FamilyDescriptor, cells: Cells): number | undefined {
    return this.#sourceOf(family, cells)?.createdOf(cells);
  }

  putExemplar(family: FamilyDescriptor, cells: Cells, cell: number, exemplar: Exemplar): void {
    const textOf = () => this.labelTextOf(family, cells);
    this.#exemplars ??= new ExemplarTable();
    this.#exemplars.put(family, cells, cell, exemplar, textOf);
  }

  /** Returns the label text of a series; undefined for cells of another backend. */
  labelTextOf(family: FamilyDescriptor, cells: Cells): string | undefined {
    return this.#sourceOf(family, cells)?.textOf(cells);
  }

  exemplarsOf(_family: FamilyDescriptor, cells: Cells): CellExemplars | undefined {
    return this.#exemplars?.of(cells);
  }

  /** Adds the exemplars of this backend's cells to snapshots from storage that this process shares with others. */
  async addExemplars(snapshots: FamilySnapshot[]): Promise<FamilySnapshot[]> {
    return this.#exemplars === undefined ? snapshots : this.#exemplars.addTo(snapshots);
  }

  async snapshot({ families, scopes }: SnapshotRequest): Promise<FamilySnapshot[]> {
    // Loaded by the first scrape, since most threads and many processes are never scraped.
    this.#merge ??= await import('./merge.js');
    const { Merger } = this.#merge;
    const slice = new TimeSlice();
    const arrays = new SharedPages(SNAPSHOT_CELLS);
    const begun: (FamilySnapshot | BegunMerge)[] = [];
    for (const family of families) {
      // No pause before a hidden family: its native buckets must be from the same moment as the family before it.
      if (!METRIC_TYPES[family.type].isHidden && slice.isOverAfterStep()) await slice.next();
      const own = this.#ownOf(family);
      const others = this.#others.size === 0 ? [] : (this.#others.get(own.key)?.sources ?? []);
      if (others.length === 0 && isMergedAlone(family)) begun.push(own.snapshot(family, arrays));
      else {
        own.merger ??= new Merger(family);
        begun.push(own.merger.begin([own, ...others]));
      }
    }
    if (this.#others.size > 0) {
      const wanted = new Set(families.map((family) => this.#ownOf(family).key));
      for (const [key, others] of this.#others) {
        if (!scopes.includes(others.family.scope) || wanted.has(key)) continue;
        others.merger ??= new Merger(others.family);
        begun.push(others.merger.begin(others.sources));
      }
    }
    const snapshots: FamilySnapshot[] = [];
    for (const one of begun) snapshots.push(typeof one === 'function' ? await one(slice) : one);
    return this.addExemplars(snapshots);
  }

  /** Does nothing, since this process is the only reader. */
  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  #ownOf(family: FamilyDescriptor): OwnTable {
    let own = this.#own.get(family);
    if (own === undefined) {
      own = new OwnTable(family, SELF, this.#pages);
      this.#own.set(family, own);
    }
    return own;
  }

  /** Returns the table that handed out these cells; undefined if none did. */
  #sourceOf(family: FamilyDescriptor, cells: Cells): CellTable | undefined {
    const own = this.#own.get(family);
    if (own?.owns(cells)) return own;
    return this.#others.get(familyKey(family))?.sources.find((source) => source.owns(cells));
  }

  #othersOf(family: FamilyDescriptor): OthersFamily {
    return findOrCreate(this.#others, familyKey(family), () => ({ family, sources: [] }));
  }
}

/** Reports whether the merge of a single writer gives its rows unchanged, so that it can be skipped. */
function isMergedAlone({ merge }: FamilyDescriptor): boolean {
  return merge === 'add' || merge === 'shared';
}
