/** Reading gauges and progress bars. The fields of all writers are merged by the mode of the family. */
import { show } from '../../errors.js';
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn, REMOVED } from '../../model/label-column.js';
import { escapeLabelValue, labelText } from '../../model/labels.js';
import { TOUCHED } from '../../model/metric-types.js';
import type { ServerClock } from '../../system/clock.js';
import { TimeSlice } from '../../system/time-slice.js';
import { accumulate, moveFutureTimes } from '../merge.js';
import type { Connection } from './connection.js';
import { HEAD } from './family-hash.js';
import { readFields } from './hash-scan.js';
import { ENDED, parseNumber, parseWriterField } from './per-writer.js';

/** A field of the hash, with its parsed name. */
interface Field {
  readonly name: string;
  /** The row of its series; -1 for a field that holds no series. */
  readonly row: number;
  readonly producer: string;
  /** Number of the read that has merged the field last. */
  read: number;
}

/** Number of deleted fields whose names may stay in memory, in addition to the number of fields in the hash. */
const MAX_STALE = 1000;

/** Reads the values of all writers. Parsed field names are kept from read to read. */
export class PerWriterReader {
  readonly family: FamilyDescriptor;
  /** The number of joins to the hash, by all producers, as of the last read. */
  joins = 0;
  readonly #clock: ServerClock;
  readonly #cells: Float64Array;
  #labels = new LabelColumn();
  #rows = new Map<string, number>();
  #known = new Map<string, Field>();
  /** The fields in the order of the last reply. It seldom changes, so most fields are found by their index. */
  #order: Field[] = [];
  #reads = 0;
  /** The previous read. Reads share state, so they run one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(family: FamilyDescriptor, clock: ServerClock) {
    this.family = family;
    this.#clock = clock;
    this.#cells = new Float64Array(family.cells);
  }

  /**
   * Resolves with undefined when there is no hash.
   *
   * @param living - the producers that are running
   */
  read(
    connection: Connection,
    key: string,
    living: ReadonlySet<string>,
  ): Promise<FamilySnapshot | undefined> {
    const read = this.#last.then(async () => {
      const hash = await readFields(connection, key);
      return hash.length === 0 ? undefined : this.#snapshot(hash, living);
    });
    this.#last = read.catch(() => {});
    return read;
  }

  /** @param hash - fields and values in turn */
  async #snapshot(hash: readonly string[], living: ReadonlySet<string>): Promise<FamilySnapshot> {
    const { family } = this;
    const slice = new TimeSlice();
    this.#reads += 1;
    const fields = await this.#fieldsOf(hash, slice);
    const size = this.#labels.size;
    const values = new Float64Array(size * family.cells);
    const present = new Uint8Array(size);
    const live = new Uint8Array(size);
    const now = this.#clock.now();
    for (let i = 0; i < fields.length; i++) {
      if (slice.isOverAfterStep()) await slice.next();
      const field = fields[i]!;
      const { name, row, producer } = field;
      const text = hash[2 * i + 1]!;
      if (name === HEAD.joins) this.joins = Number(text);
      if (row < 0 || field.read === this.#reads) continue;
      field.read = this.#reads;
      const words = text.split(' ');
      const isLive = words.at(-1) !== ENDED && living.has(producer);
      if (family.merge.startsWith('live') && !isLive) continue;
      const cells = this.#parseCells(words, now);
      if (isPerWriter(family) && cells[TOUCHED] === 0) continue;
      accumulate(family, values, row * family.cells, cells, 0, isLive);
      present[row] = 1;
      if (isLive) live[row] = 1;
    }
    let rows = this.#labels.view();
    if (present.includes(0)) {
      const lengths = rows.lengths.slice(0, rows.size);
      for (let row = 0; row < rows.size; row++) if (present[row] === 0) lengths[row] = REMOVED;
      rows = { ...rows, lengths };
    }
    return family.merge === 'each' ? { family, rows, values, live } : { family, rows, values };
  }

  /** Returns the cells of one writer, in an array that the next call overwrites. */
  #parseCells(words: readonly string[], now: number): Float64Array {
    const cells = this.#cells;
    if (words.length < cells.length) throw new Error(`${show(words.join(' '))} has too few numbers`);
    for (let cell = 0; cell < cells.length; cell++) cells[cell] = parseNumber(words[cell]!);
    // Programs with an older version of the package send times by their own clocks.
    return moveFutureTimes(this.family, cells, now);
  }

  async #fieldsOf(hash: readonly string[], slice: TimeSlice): Promise<readonly Field[]> {
    const count = hash.length / 2;
    if (this.#known.size > 2 * count + MAX_STALE) this.#forget();
    const order = this.#order;
    order.length = Math.min(order.length, count);
    for (let i = 0; i < count; i++) {
      if (slice.isOverAfterStep()) await slice.next();
      const name = hash[2 * i]!;
      if (order[i]?.name === name) continue;
      let field = this.#known.get(name);
      if (field === undefined) {
        field = this.#parse(name);
        this.#known.set(name, field);
      }
      order[i] = field;
    }
    return order;
  }

  /** Forgets all names. The label column is replaced and not cleared, since earlier snapshots still use it. */
  #forget(): void {
    this.#labels = new LabelColumn();
    this.#rows = new Map();
    this.#known = new Map();
    this.#order = [];
  }

  #parse(name: string): Field {
    const parsed = parseWriterField(name);
    if (parsed?.labels.length !== this.family.labelNames.length)
      return { name, row: -1, producer: '', read: 0 };
    const { labels, producer, writer } = parsed;
    const row = this.#rowOf(labels, writer === '' ? producer : `${producer}/${writer}`);
    return { name, row, producer, read: 0 };
  }

  /** Returns the row of a series. Writers share it, except in the modes `all`, `liveall` and `each`. */
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
