/** The default backend: cells in the private memory of this process. */
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../model/family.js';
import type { Backend, CellRequest, Cells, SnapshotRequest, Writer } from './backend.js';
import { CellTable } from './cell-table.js';
import { Merger } from './merge.js';

/** This thread, as the writer of what it counts itself. */
const SELF: Writer = { id: String(process.pid), live: true };

/** What this thread counts in a family itself, and how that merges with what others count in it. */
class OwnFamily {
  readonly source: CellTable;
  readonly merger: Merger;
  readonly key: string;

  constructor(family: FamilyDescriptor) {
    this.source = new CellTable(family, SELF);
    this.merger = new Merger(family);
    this.key = familyKey(family);
  }
}

/** What other writers count in a family. */
class OthersFamily {
  readonly family: FamilyDescriptor;
  readonly merger: Merger;
  sources: CellTable[] = [];

  constructor(family: FamilyDescriptor) {
    this.family = family;
    this.merger = new Merger(family);
  }

  sourceOf(writer: Writer): CellTable {
    const known = this.sources.find((source) => source.writer === writer);
    if (known !== undefined) return known;
    const added = new CellTable(this.family, writer);
    this.sources.push(added);
    return added;
  }
}

/**
 * Keeps numbers in this process. Those of its worker threads are brought in by the thread bridge, as the
 * numbers of other writers.
 */
export class SingleProcessBackend implements Backend {
  readonly config: Readonly<Record<string, unknown>> = Object.freeze({});
  readonly #own = new WeakMap<FamilyDescriptor, OwnFamily>();
  readonly #others = new Map<string, OthersFamily>();

  reserve({ family, labels, writer }: CellRequest): Cells {
    const source =
      writer === undefined ? this.#ownOf(family).source : this.#othersOf(family).sourceOf(writer);
    return source.reserve(labels);
  }

  release(family: FamilyDescriptor, cells: Cells): void {
    const own = this.#own.get(family)?.source;
    if (own?.owns(cells)) {
      own.release(cells);
      return;
    }
    const others = this.#othersOf(family);
    others.sources.find((source) => source.owns(cells))?.release(cells);
    others.sources = others.sources.filter(({ labels }) => labels.count > 0);
  }

  snapshot({ families, scopes }: SnapshotRequest): FamilySnapshot[] {
    const own = families.map((family) => this.#ownOf(family));
    const wanted = new Set(own.map(({ key }) => key));
    const snapshots = own.map(({ source, merger, key }, i) => {
      const others = this.#others.get(key)?.sources ?? [];
      return others.length === 0 && isMergedAlone(families[i]!)
        ? { family: families[i]!, rows: source.labels.view(), values: source.values() }
        : merger.merge([source, ...others]);
    });
    for (const [key, { family, merger, sources }] of this.#others) {
      if (scopes.includes(family.scope) && !wanted.has(key)) snapshots.push(merger.merge(sources));
    }
    return snapshots;
  }

  /** Nothing to do: what is written is in place. */
  async flush(): Promise<void> {}

  /** Nothing to let go of. */
  async close(): Promise<void> {}

  #ownOf(family: FamilyDescriptor): OwnFamily {
    let own = this.#own.get(family);
    if (own === undefined) {
      own = new OwnFamily(family);
      this.#own.set(family, own);
    }
    return own;
  }

  #othersOf(family: FamilyDescriptor): OthersFamily {
    const key = familyKey(family);
    let others = this.#others.get(key);
    if (others === undefined) {
      others = new OthersFamily(family);
      this.#others.set(key, others);
    }
    return others;
  }
}

/** Whether one writer's rows are the merged rows as they are. */
function isMergedAlone({ merge }: FamilyDescriptor): boolean {
  return merge === 'add' || merge === 'shared';
}
