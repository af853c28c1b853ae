/** Reading families from Redis: what is in a family's hash, as a snapshot. */
import { type FamilyDescriptor, type FamilySnapshot, TOUCHED } from '../../model/family.js';
import { LabelColumn, REMOVED } from '../../model/label-column.js';
import { escapeLabelValue, labelText } from '../../model/labels.js';
import { accumulate } from '../merge.js';
import { GONE, parseField, parseNumber, SEQUENCE_FIELD } from './fields.js';

/** A field of the hash, and what its name says. */
interface Field {
  readonly name: string;
  /** -1 for a field without numbers. */
  readonly row: number;
  /** A shared cell; -1 for all cells of one writer. */
  readonly cell: number;
  readonly producer: string;
}

/** Fields that may be remembered beyond those that are there. */
const MOST_STALE = 1000;

/** One family, read again and again: it remembers what its fields mean. */
export class RemoteFamily {
  readonly family: FamilyDescriptor;
  /** The producers that have ever sent something, as of the last snapshot. */
  producers: readonly string[] = [];
  #labels = new LabelColumn();
  #rows = new Map<string, number>();
  #known = new Map<string, Field>();
  /** The fields in the order of the last reply, which is seldom another: so most are found without a search. */
  #order: Field[] = [];

  constructor(family: FamilyDescriptor) {
    this.family = family;
  }

  /**
   * @param hash - fields and values in turn, as HGETALL gives them
   * @param living - the producers that are there
   */
  snapshot(hash: readonly string[], living: ReadonlySet<string>): FamilySnapshot {
    const { family } = this;
    const { cells } = family;
    const fields = this.#fieldsOf(hash);
    const values = new Float64Array(this.#labels.size * cells);
    const present = new Uint8Array(this.#labels.size);
    const live = new Uint8Array(this.#labels.size);
    for (let i = 0; i < fields.length; i++) {
      const { row, cell, producer } = fields[i]!;
      if (row < 0) continue;
      const text = hash[2 * i + 1]!;
      if (cell >= 0) values[row * cells + cell] = parseNumber(text);
      else if (!this.#addWriter(values, row, text, living.has(producer), live)) continue;
      present[row] = 1;
    }
    const view = this.#labels.view();
    if (!present.includes(0)) return this.#snapshotOf(view, values, live);
    const lengths = view.lengths.slice(0, view.size);
    for (let row = 0; row < view.size; row++) if (present[row] === 0) lengths[row] = REMOVED;
    return this.#snapshotOf({ ...view, lengths }, values, live);
  }

  #snapshotOf(rows: FamilySnapshot['rows'], values: Float64Array, live: Uint8Array): FamilySnapshot {
    const { family } = this;
    return family.merge === 'each' ? { family, rows, values, live } : { family, rows, values };
  }

  /** Whether the writer's numbers are wanted. */
  #addWriter(
    values: Float64Array,
    row: number,
    text: string,
    producerLives: boolean,
    live: Uint8Array,
  ): boolean {
    const { family } = this;
    const words = text.split(' ');
    const lives = producerLives && words.at(-1) !== GONE;
    if (family.merge.startsWith('live') && !lives) return false;
    const cells = Float64Array.from(words.slice(0, family.cells), parseNumber);
    if (isPerWriter(family) && cells[TOUCHED] === 0) return false;
    accumulate(family, values, row * family.cells, cells, 0, lives);
    if (lives) live[row] = 1;
    return true;
  }

  #fieldsOf(hash: readonly string[]): readonly Field[] {
    const count = hash.length / 2;
    if (this.#known.size > 2 * count + MOST_STALE) this.#forget();
    const order = this.#order;
    let moved = order.length !== count;
    order.length = Math.min(order.length, count);
    for (let i = 0; i < count; i++) {
      const name = hash[2 * i]!;
      if (order[i]?.name === name) continue;
      moved = true;
      let field = this.#known.get(name);
      if (field === undefined) {
        field = this.#understand(name);
        this.#known.set(name, field);
      }
      order[i] = field;
    }
    if (moved) {
      this.producers = order
        .filter(({ name }) => name.startsWith(SEQUENCE_FIELD))
        .map(({ name }) => name.slice(SEQUENCE_FIELD.length));
    }
    return order;
  }

  /** Snapshots that were given keep the old column. */
  #forget(): void {
    this.#labels = new LabelColumn();
    this.#rows = new Map();
    this.#known = new Map();
    this.#order = [];
  }

  #understand(name: string): Field {
    const parsed = parseField(name);
    const { labelNames, cells } = this.family;
    if (parsed === undefined || parsed.labels.length !== labelNames.length || parsed.cell >= cells) {
      return { name, row: -1, cell: -1, producer: '' };
    }
    const { labels, cell, producer, writer } = parsed;
    const row = this.#rowOf(labels, writer === '' ? producer : `${producer}/${writer}`);
    return { name, row, cell, producer };
  }

  /** Rows are for labels, and for writers too where each has rows of its own. */
  #rowOf(labels: readonly string[], writer: string): number {
    const { family } = this;
    let text = labelText(family.labelNames, labels);
    if (isPerWriter(family)) text += `${text === '' ? '' : ','}pid="${escapeLabelValue(writer)}"`;
    const key = family.merge === 'each' ? JSON.stringify([writer, text]) : text;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.#labels.add(text);
      this.#rows.set(key, row);
    }
    return row;
  }
}

const isPerWriter = ({ merge }: FamilyDescriptor) => merge === 'all' || merge === 'liveall';
