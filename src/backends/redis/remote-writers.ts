/** Reading the numbers of writers, each for itself: gauges and progress bars. */
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn, REMOVED } from '../../model/label-column.js';
import { escapeLabelValue, labelText } from '../../model/labels.js';
import { TOUCHED } from '../../model/metric-types.js';
import { accumulate } from '../merge.js';
import type { Connection } from './connection.js';
import { GONE, HEAD, parseNumber, parseWriterField } from './fields.js';

/** A field of the hash, and what its name says. */
interface Field {
  readonly name: string;
  /** -1 for a field without numbers. */
  readonly row: number;
  readonly producer: string;
}

/** Fields that may be remembered beyond those that are there. */
const MOST_STALE = 1000;

/** One family, read again and again: it remembers what its fields mean. */
export class RemoteWriters {
  readonly family: FamilyDescriptor;
  /** How often producers have come, as of the last snapshot. */
  arrivals = 0;
  #labels = new LabelColumn();
  #rows = new Map<string, number>();
  #known = new Map<string, Field>();
  /** The fields in the order of the last reply, which is seldom another: so most are found without a search. */
  #order: Field[] = [];

  constructor(family: FamilyDescriptor) {
    this.family = family;
  }

  /**
   * Undefined when there is no such hash.
   *
   * @param living - the producers that are there
   */
  async read(
    connection: Connection,
    key: string,
    living: ReadonlySet<string>,
  ): Promise<FamilySnapshot | undefined> {
    const hash = (await connection.call('HGETALL', key)) as string[];
    return hash.length === 0 ? undefined : this.#snapshot(hash, living);
  }

  /** @param hash - fields and values in turn */
  #snapshot(hash: readonly string[], living: ReadonlySet<string>): FamilySnapshot {
    const { cells } = this.family;
    const fields = this.#fieldsOf(hash);
    const values = new Float64Array(this.#labels.size * cells);
    const present = new Uint8Array(this.#labels.size);
    const live = new Uint8Array(this.#labels.size);
    for (let i = 0; i < fields.length; i++) {
      const { name, row, producer } = fields[i]!;
      const text = hash[2 * i + 1]!;
      if (name === HEAD.arrivals) this.arrivals = Number(text);
      if (row < 0 || !this.#addWriter(values, row, text, living.has(producer), live)) continue;
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
    order.length = Math.min(order.length, count);
    for (let i = 0; i < count; i++) {
      const name = hash[2 * i]!;
      if (order[i]?.name === name) continue;
      let field = this.#known.get(name);
      if (field === undefined) {
        field = this.#understand(name);
        this.#known.set(name, field);
      }
      order[i] = field;
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
    const parsed = parseWriterField(name);
    if (parsed?.labels.length !== this.family.labelNames.length) return { name, row: -1, producer: '' };
    const { labels, producer, writer } = parsed;
    const row = this.#rowOf(labels, writer === '' ? producer : `${producer}/${writer}`);
    return { name, row, producer };
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
