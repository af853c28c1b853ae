/** Reading gauges and progress bars. The fields of all writers are merged by the mode of the family. */
import { show } from '../../errors.js';
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn, REMOVED } from '../../model/label-column.js';
import { escapeLabelValue, labelText } from '../../model/labels.js';
import { TOUCHED } from '../../model/metric-types.js';
import type { TimeSlice } from '../../system/time-slice.js';
import { accumulate, moveFutureTimes } from '../merge.js';
import { HEAD, type RedisContext } from './family-hash.js';
import { readParts } from './hash-scan.js';
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

/** The numbers of the fields that a read has merged so far. */
interface Merged {
  values: Float64Array;
  /** By row: 1 if the row has numbers. */
  present: Uint8Array;
  /** By row: 1 if a running writer has the series. */
  live: Uint8Array;
  fields: number;
}

/** Number of deleted fields whose names may stay in memory, in addition to the number of fields in the hash. */
const MAX_STALE = 1000;

/** Reads the values of all writers. Parsed field names are kept from read to read. */
export class PerWriterReader {
  readonly family: FamilyDescriptor;
  /** The number of joins to the hash, by all producers, as of the last read. */
  joins = 0;
  readonly #context: RedisContext;
  readonly #key: string;
  readonly #cells: Float64Array;
  #labels = new LabelColumn();
  #rows = new Map<string, number>();
  #known = new Map<string, Field>();
  /** The fields in the order of the last reply. It seldom changes, so most fields are found by their index. */
  #order: Field[] = [];
  #reads = 0;
  /** The previous read. Reads share state, so they run one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(family: FamilyDescriptor, context: RedisContext, key: string) {
    this.family = family;
    this.#context = context;
    this.#key = key;
    this.#cells = new Float64Array(family.cells);
  }

  /**
   * Resolves with undefined when there is no hash.
   *
   * @param living - the producers that are running
   */
  read(slice: TimeSlice, living: ReadonlySet<string>): Promise<FamilySnapshot | undefined> {
    const read = this.#last.then(() => this.#read(slice, living));
    this.#last = read.catch(() => {});
    return read;
  }

  async #read(slice: TimeSlice, living: ReadonlySet<string>): Promise<FamilySnapshot | undefined> {
    // Each part is merged on arrival, so that its texts are freed before the next part is read.
    let merged = this.#begin();
    for await (const part of readParts(this.#context, this.#key)) {
      if (part === undefined) merged = this.#begin();
      else await this.#merge(merged, part, slice, living);
    }
    if (merged.fields === 0) return undefined;
    const { family } = this;
    let rows = this.#labels.view();
    if (merged.present.length !== rows.size) resize(merged, rows.size, family.cells);
    const { values, present, live, fields } = merged;
    if (present.includes(0)) {
      const lengths = rows.lengths.slice(0, rows.size);
      for (let row = 0; row < rows.size; row++) if (present[row] === 0) lengths[row] = REMOVED;
      rows = { ...rows, lengths };
    }
    this.#order.length = fields;
    if (this.#known.size > 2 * fields + MAX_STALE) this.#forget();
    return family.merge === 'each' ? { family, rows, values, live } : { family, rows, values };
  }

  #begin(): Merged {
    this.#reads += 1;
    const { size } = this.#labels;
    const values = new Float64Array(size * this.family.cells);
    return { values, present: new Uint8Array(size), live: new Uint8Array(size), fields: 0 };
  }

  /** @param part - fields and values in turn */
  async #merge(
    merged: Merged,
    part: readonly string[],
    slice: TimeSlice,
    living: ReadonlySet<string>,
  ): Promise<void> {
    const { family } = this;
    const now = this.#context.clock.now();
    for (let i = 0; i < part.length; i += 2) {
      if (slice.isOverAfterStep()) await slice.next();
      const field = this.#fieldOf(part[i]!, merged.fields);
      merged.fields += 1;
      const { name, row, producer } = field;
      const text = part[i + 1]!;
      if (name === HEAD.joins) this.joins = Number(text);
      if (row < 0 || field.read === this.#reads) continue;
      field.read = this.#reads;
      const words = text.split(' ');
      const isLive = words.at(-1) !== ENDED && living.has(producer);
      if (family.merge.startsWith('live') && !isLive) continue;
      const cells = this.#parseCells(words, now);
      if (isPerWriter(family) && cells[TOUCHED] === 0) continue;
      if (row >= merged.present.length) resize(merged, 2 * (row + 1), family.cells);
      accumulate(family, merged.values, row * family.cells, cells, 0, isLive);
      merged.present[row] = 1;
      if (isLive) merged.live[row] = 1;
    }
  }

  /** Returns the cells of one writer, in an array that the next call overwrites. */
  #parseCells(words: readonly string[], now: number): Float64Array {
    const cells = this.#cells;
    if (words.length < cells.length) throw new Error(`${show(words.join(' '))} has too few numbers`);
    for (let cell = 0; cell < cells.length; cell++) cells[cell] = parseNumber(words[cell]!);
    // Programs with an older version of the package send times by their own clocks.
    return moveFutureTimes(this.family, cells, now);
  }

  /** @param index - number of the field in this read */
  #fieldOf(name: string, index: number): Field {
    const expected = this.#order[index];
    if (expected?.name === name) return expected;
    let field = this.#known.get(name);
    if (field === undefined) {
      field = this.#parse(name);
      this.#known.set(name, field);
    }
    this.#order[index] = field;
    return field;
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

/** Resizes the arrays to `size` rows. Drops all further rows. */
function resize(merged: Merged, size: number, cells: number): void {
  const { values, present, live } = merged;
  merged.values = new Float64Array(size * cells);
  merged.values.set(values.subarray(0, size * cells));
  merged.present = new Uint8Array(size);
  merged.present.set(present.subarray(0, size));
  merged.live = new Uint8Array(size);
  merged.live.set(live.subarray(0, size));
}

const isPerWriter = ({ merge }: FamilyDescriptor) => merge === 'all' || merge === 'liveall';
