/** The series in this process's own file, which are read from mapped memory without parsing records. */
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../../model/family.js';
import { LabelColumn, REMOVED } from '../../model/label-column.js';
import { labelText } from '../../model/labels.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { CellRequest, Writer } from '../backend.js';
import type { SharedPages } from '../cell-table.js';
import type { MergeSource } from '../merge.js';
import { type Bytes, CHUNK_BYTES, createdAt, stateOf } from './layout.js';

/** A mapped section of the file. */
export interface Chunk {
  readonly bytes: Bytes;
  /** Offset in the file. */
  readonly start: number;
}

/** The chunks of a file, by offset divided by {@link CHUNK_BYTES}. A longer chunk has several consecutive numbers. */
export type ChunkMap = readonly Chunk[];

/** The process as a writer; worker threads have writers of their own. */
const SELF: Writer = { id: String(process.pid), live: true };

/** A family in the file. */
interface WrittenFamily {
  readonly number: number;
  readonly key: string;
  /** Tables by writer. */
  readonly tables: OwnTable[];
}

/** The families in the file of this process. */
export class OwnFamilies {
  readonly #chunks: ChunkMap;
  /** Families by key, since each worker thread has its own descriptors of the same families. */
  readonly #families = new Map<string, WrittenFamily>();
  /** Cache of families by descriptor, which saves building the key. */
  readonly #seen = new WeakMap<FamilyDescriptor, WrittenFamily>();
  /** Whether a series was removed since the last call of {@link tables}. */
  hasRemoved = false;

  constructor(chunks: ChunkMap) {
    this.#chunks = chunks;
  }

  /**
   * Returns the entry of a family, and creates it under the next number if there is none.
   *
   * @param declare - called before an entry is created
   */
  of(family: FamilyDescriptor, declare: () => void): WrittenFamily {
    return findOrCreate(this.#seen, family, () => {
      const key = familyKey(family);
      return findOrCreate(this.#families, key, () => {
        declare();
        return { number: this.#families.size, key, tables: [] };
      });
    });
  }

  /** Adds a series whose record was written. */
  add(
    { key, tables }: WrittenFamily,
    { family, labels, writer = SELF }: CellRequest,
    chunk: Chunk,
    at: number,
  ): void {
    let table = tables.find((known) => known.writer === writer);
    if (table === undefined) {
      table = new OwnTable(family, key, writer, this.#chunks);
      tables.push(table);
    }
    table.add(family, chunk, at, labels);
  }

  /** Returns the series as they are now. */
  tables(): OwnTable[] {
    const tables = [...this.#families.values()].flatMap((family) => family.tables);
    if (this.hasRemoved) for (const table of tables) table.refresh();
    this.hasRemoved = false;
    return tables;
  }
}

/** The series of one family and one writer. */
export class OwnTable implements MergeSource {
  readonly family: FamilyDescriptor;
  readonly key: string;
  readonly writer: Writer;
  readonly labels = new LabelColumn();
  readonly #chunks: ChunkMap;
  /** Offset of the record in the file, by row. */
  readonly #records: number[] = [];
  /** State of the record when it was written, by row. */
  readonly #states: number[] = [];
  #isShared = false;

  constructor(family: FamilyDescriptor, key: string, writer: Writer, chunks: ChunkMap) {
    this.family = family;
    this.key = key;
    this.writer = writer;
    this.#chunks = chunks;
  }

  add(family: FamilyDescriptor, { bytes, start }: Chunk, at: number, labels: readonly string[]): void {
    this.#isShared ||= family !== this.family;
    const row = this.labels.add(labelText(this.family.labelNames, labels));
    this.#records[row] = start + at;
    this.#states[row] = stateOf(bytes, at);
  }

  /** Reports whether all series use this descriptor. Series of another descriptor may have equal labels. */
  isOf(family: FamilyDescriptor): boolean {
    return family === this.family && !this.#isShared;
  }

  /** Removes the rows whose records were removed or have been reused. */
  refresh(): void {
    for (let row = 0; row < this.#records.length; row++) {
      if (this.labels.lengths[row] === REMOVED) continue;
      const { bytes, start } = this.#chunkOf(row);
      if (stateOf(bytes, this.#records[row]! - start) !== this.#states[row]) this.labels.remove(row);
    }
  }

  /** Returns the rows as a snapshot, for a family that has no other writer. */
  snapshot(family: FamilyDescriptor, arrays: SharedPages): FamilySnapshot {
    const [rows, values, created] = [this.labels.view(), this.values(arrays), this.created(arrays)];
    return created === undefined ? { family, rows, values } : { family, rows, values, created };
  }

  created(arrays?: SharedPages): Float64Array | undefined {
    if (this.family.merge !== 'add') return undefined;
    const rows = this.#records.length;
    const all = arrays?.takeArray(rows) ?? new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const { bytes, start } = this.#chunkOf(row);
      all[row] = createdAt(bytes, this.#records[row]! - start);
    }
    return all;
  }

  values(arrays?: SharedPages): Float64Array {
    const rows = this.#records.length;
    const width = this.family.cells;
    const all = arrays?.takeArray(rows * width) ?? new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const { bytes, start } = this.#chunkOf(row);
      const at = this.#records[row]! - start;
      // The cells are at the end of the record.
      const from = (at + bytes.ints[at / 4]!) / 8 - width;
      for (let cell = 0; cell < width; cell++) all[row * width + cell] = bytes.cells[from + cell]!;
    }
    return all;
  }

  #chunkOf(row: number): Chunk {
    return this.#chunks[Math.floor(this.#records[row]! / CHUNK_BYTES)]!;
  }
}
