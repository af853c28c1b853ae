/** The series of one family and one writer in a file, as a source of merges. */
import type { FamilyDescriptor } from '../../model/family.js';
import { LabelColumn, REMOVED as REMOVED_ROW } from '../../model/label-column.js';
import { labelText } from '../../model/labels.js';
import type { Writer } from '../backend.js';
import type { MergeSource } from '../merge.js';
import { type Bytes, type RecordView, stateOf } from './layout.js';

export class FileTable implements MergeSource {
  readonly family: FamilyDescriptor;
  readonly key: string;
  readonly writer: Writer;
  readonly labels = new LabelColumn();
  readonly #file: { readonly content: Bytes };
  /** Label values, by row. */
  readonly #identities: (readonly string[])[] = [];
  /** Offset of the record in the file, by row. */
  readonly #records: number[] = [];
  /** State of the record when it was parsed, by row. */
  readonly #states: number[] = [];
  /** Index of the first cell in the content of the file, by row. */
  readonly #cells: number[] = [];
  /** Unix seconds of the creation of the series, by row. */
  readonly #created: number[] = [];

  constructor(file: { readonly content: Bytes }, family: FamilyDescriptor, key: string, writer: Writer) {
    this.#file = file;
    this.family = family;
    this.key = key;
    this.writer = writer;
  }

  add(at: number, { state, cellIndex, created }: RecordView, labels: readonly string[]): void {
    const row = this.labels.add(labelText(this.family.labelNames, labels));
    this.#identities[row] = labels;
    this.#records[row] = at;
    this.#states[row] = state;
    this.#cells[row] = cellIndex;
    this.#created[row] = created;
  }

  /** Yields the series, each with its row in {@link values}. */
  *series(): Generator<{
    readonly labels: readonly string[];
    readonly row: number;
    readonly created: number;
  }> {
    for (let row = 0; row < this.labels.size; row++) {
      if (this.labels.lengths[row] === REMOVED_ROW) continue;
      yield {
        labels: this.#identities[row]!,
        row,
        created: this.#created[row]!,
      };
    }
  }

  /** Removes the rows of removed series, and passes the offsets of their records to `onVacant`. */
  refresh(onVacant: (record: number) => void): void {
    const { content } = this.#file;
    for (let row = 0; row < this.#records.length; row++) {
      if (this.labels.lengths[row] === REMOVED_ROW) continue;
      const record = this.#records[row]!;
      if (stateOf(content, record) === this.#states[row]) continue;
      this.labels.remove(row);
      onVacant(record);
    }
  }

  created(): Float64Array | undefined {
    return this.family.merge === 'add' ? Float64Array.from(this.#created) : undefined;
  }

  values(): Float64Array {
    const { cells } = this.#file.content;
    const width = this.family.cells;
    const values = new Float64Array(this.#cells.length * width);
    for (let row = 0; row < this.#cells.length; row++) {
      const from = this.#cells[row]!;
      for (let cell = 0; cell < width; cell++) values[row * width + cell] = cells[from + cell]!;
    }
    return values;
  }
}
