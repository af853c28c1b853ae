/** Reading families from Redis: what is in a family's hash, as a snapshot. */
import { type FamilyDescriptor, type FamilySnapshot, TOUCHED } from '../../model/family.js';
import { LabelColumn, REMOVED } from '../../model/label-column.js';
import { escapeLabelValue, labelText } from '../../model/labels.js';
import { accumulate } from '../merge.js';
import { parseNumber } from './producer.js';

/** What a field's name says: which series, and which cell or whose. */
interface FieldPlace {
  readonly row: number;
  /** A shared cell; -1 for all cells of one writer. */
  readonly cell: number;
  readonly producer: string;
}

/** One family, read again and again: it remembers what its fields mean. */
export class RemoteFamily {
  readonly family: FamilyDescriptor;
  readonly #labels = new LabelColumn();
  readonly #rows = new Map<string, number>();
  readonly #fields = new Map<string, FieldPlace | undefined>();

  constructor(family: FamilyDescriptor) {
    this.family = family;
  }

  /**
   * @param hash - fields and values in turn, as HGETALL gives them
   * @param living - the producers that are there
   */
  snapshot(hash: readonly string[], living: ReadonlySet<string>): FamilySnapshot {
    const { family } = this;
    for (let i = 0; i < hash.length; i += 2) this.#place(hash[i]!);
    const values = new Float64Array(this.#labels.size * family.cells);
    const present = new Uint8Array(this.#labels.size);
    const live = new Uint8Array(this.#labels.size);
    for (let i = 0; i < hash.length; i += 2) {
      const place = this.#fields.get(hash[i]!);
      if (place === undefined) continue;
      const { row, cell, producer } = place;
      if (cell >= 0) values[row * family.cells + cell] = parseNumber(hash[i + 1]!);
      else if (!this.#addWriter(values, row, hash[i + 1]!, living.has(producer), live)) continue;
      present[row] = 1;
    }
    const view = this.#labels.view();
    const lengths = view.lengths.slice(0, view.size);
    for (let row = 0; row < view.size; row++) if (present[row] === 0) lengths[row] = REMOVED;
    const rows = { ...view, lengths };
    return family.merge === 'each' ? { family, rows, values, live } : { family, rows, values };
  }

  /** Whether the writer's numbers are wanted. */
  #addWriter(values: Float64Array, row: number, text: string, lives: boolean, live: Uint8Array): boolean {
    const { family } = this;
    if (family.merge.startsWith('live') && !lives) return false;
    const cells = Float64Array.from(text.split(' '), parseNumber);
    if (isPerWriter(family) && cells[TOUCHED] === 0) return false;
    accumulate(family, values, row * family.cells, cells, 0, lives);
    if (lives) live[row] = 1;
    return true;
  }

  #place(field: string): void {
    if (this.#fields.has(field)) return;
    this.#fields.set(field, this.#understand(field));
  }

  #understand(field: string): FieldPlace | undefined {
    const shared = /^c:(\d+):/.exec(field);
    if (shared !== null) {
      const row = this.#rowOf(JSON.parse(field.slice(shared[0].length)), '');
      return { row, cell: Number(shared[1]), producer: '' };
    }
    const own = /^p:(\["(?:[^"\\]|\\.)*","(?:[^"\\]|\\.)*"\]):/.exec(field);
    if (own === null) return undefined;
    const [producer, writer] = JSON.parse(own[1]!) as [string, string];
    const row = this.#rowOf(
      JSON.parse(field.slice(own[0].length)),
      `${producer}${writer === '' ? '' : `/${writer}`}`,
    );
    return { row, cell: -1, producer };
  }

  /** Rows are for labels, and for writers too where each has rows of its own. */
  #rowOf(labels: readonly string[], writer: string): number {
    const { family } = this;
    let text = labelText(family.labelNames, labels);
    if (isPerWriter(family)) text += `${text === '' ? '' : ','}pid="${escapeLabelValue(writer)}"`;
    const key = family.merge === 'each' ? `${writer} ${text}` : text;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.#labels.add(text);
      this.#rows.set(key, row);
    }
    return row;
  }
}

const isPerWriter = ({ merge }: FamilyDescriptor) => merge === 'all' || merge === 'liveall';
