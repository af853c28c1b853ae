/** Series that are not in a file: of a process that only reads, or for which there was no room. */
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import type { CellRequest, Cells, Writer } from '../backend.js';
import { CellTable } from '../cell-table.js';

const SELF: Writer = { id: String(process.pid), live: true };

interface MemoryFamily {
  readonly key: string;
  readonly family: FamilyDescriptor;
  readonly source: CellTable;
}

export class MemorySources {
  #families: MemoryFamily[] = [];

  get isEmpty(): boolean {
    return this.#families.length === 0;
  }

  reserve({ family, labels, writer = SELF, created }: CellRequest): Cells {
    const key = familyKey(family);
    let known = this.#families.find((other) => other.key === key && other.source.writer === writer);
    if (known === undefined) {
      known = { key, family, source: new CellTable(family, writer) };
      this.#families.push(known);
    }
    return known.source.reserve(labels, created);
  }

  /** Cells that are not here were in a file that is gone. */
  release(family: FamilyDescriptor, cells: Cells): void {
    const known = this.#familyOf(family, cells);
    if (known === undefined) return;
    known.source.release(cells);
    if (known.source.labels.count === 0) this.#families = this.#families.filter((other) => other !== known);
  }

  createdOf(family: FamilyDescriptor, cells: Cells): number | undefined {
    return this.#familyOf(family, cells)?.source.createdOf(cells);
  }

  textOf(family: FamilyDescriptor, cells: Cells): string | undefined {
    return this.#familyOf(family, cells)?.source.textOf(cells);
  }

  #familyOf(family: FamilyDescriptor, cells: Cells): MemoryFamily | undefined {
    const key = familyKey(family);
    return this.#families.find((other) => other.key === key && other.source.owns(cells));
  }

  all(): readonly MemoryFamily[] {
    return this.#families;
  }
}
