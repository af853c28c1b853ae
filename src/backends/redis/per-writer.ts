/** Gauges and progress bars, whose writers are kept apart: each field of the hash has one series of one writer. */
import { show } from '../../errors.js';
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn, REMOVED } from '../../model/label-column.js';
import { escapeLabelValue, labelText } from '../../model/labels.js';
import { TOUCHED } from '../../model/metric-types.js';
import type { Cells, Writer } from '../backend.js';
import { accumulate } from '../merge.js';
import { type Connection, Script } from './connection.js';
import { BEGIN_BATCH, type FamilyHash, HEAD, parseTexts, RECORD_BATCH, type Reply } from './family-hash.js';
import { type Batch, firstOf, Outbox, type Series } from './outbox.js';

/** Word that follows the values of a worker thread that has ended, while its process still runs. */
const ENDED = 'gone';

/** Returns the name of the field with one writer's cells of a series. `labels` are the label values as JSON. */
export const writerField = (producer: string, writer: string, labels: string) =>
  `p:${JSON.stringify([producer, writer])}:${labels}`;

const WRITER_FIELD = /^p:(\["(?:[^"\\]|\\.)*","(?:[^"\\]|\\.)*"\]):/;

export interface WriterField {
  readonly labels: readonly string[];
  readonly producer: string;
  /** Empty for the main thread of the producer. */
  readonly writer: string;
}

/** Reads the name of a field; returns undefined for one that {@link writerField} does not make. */
export function parseWriterField(field: string): WriterField | undefined {
  const head = WRITER_FIELD.exec(field);
  if (head === null) return undefined;
  const labels = parseTexts(field.slice(head[0].length));
  const [producer, writer] = parseTexts(head[1]!) ?? [];
  if (labels === undefined || producer === undefined || writer === undefined) return undefined;
  return { labels, producer, writer };
}

/** Returns text that reads back to the same number, with `inf`, `-inf` and `nan` as Lua spells them. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** Parses a number that {@link numberText} or a Lua script has written. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (!Number.isNaN(number)) return number;
  const [, sign, word] = /^(-?)(nan|inf)$/.exec(text) ?? [];
  if (word === undefined) throw new Error(`${show(text)} is not a number`);
  if (word === 'nan') return Number.NaN;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/**
 * Deletes and sets fields. ARGV: as in {@link BEGIN_BATCH}, the number of fields to delete, these fields, then fields
 * and values in turn.
 */
const SET = new Script(`${BEGIN_BATCH}${RECORD_BATCH}
local first = 6 + tonumber(ARGV[5])
for i = 6, first - 1, 1000 do
  redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 999, first - 1)))
end
for i = first, #ARGV, 1000 do
  redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
return 'ok'
`);

/** Maximum fields of one batch: Redis runs nothing else meanwhile, and Lua unpacks fewer than 8,000 values at once. */
const MAX_FIELDS = 2000;

interface Change {
  readonly series: Series;
  readonly values: readonly number[];
  readonly live: boolean;
}

interface Values extends Batch {
  readonly deletions: readonly string[];
  /** Fields and values in turn. */
  readonly sets: readonly string[];
  readonly changes: readonly Change[];
}

/** Sends the values of this process's writers. */
export class PerWriterOutbox extends Outbox<Values> {
  readonly #producer: string;

  constructor(family: FamilyDescriptor, producer: string) {
    super(family);
    this.#producer = producer;
  }

  protected keyOf(labels: string, writer: Writer | undefined): string {
    return writerField(this.#producer, writer?.id ?? '', labels);
  }

  protected freeze(sequence: number): Values | undefined {
    const removed = firstOf(this.removed, MAX_FIELDS);
    const released = [...removed, ...firstOf(this.moved, MAX_FIELDS - removed.length)];
    const deletions = released.map((series) => this.keyOf(series.labels, series.writer));
    const sets: string[] = [];
    const changes: Change[] = [];
    while (deletions.length + changes.length < MAX_FIELDS) {
      const { done, value: series } = this.rest.next();
      if (done) break;
      const change = this.#changeOf(series);
      if (change === undefined) continue;
      const text = change.values.map(numberText).join(' ');
      sets.push(this.keyOf(series.labels, series.writer), change.live ? text : `${text} ${ENDED}`);
      changes.push(change);
      series.offered = true;
    }
    if (deletions.length + changes.length === 0) return undefined;
    return { sequence, deletions, sets, changes, released };
  }

  protected send(hash: FamilyHash, token: string, { sequence, deletions, sets }: Values): Promise<Reply> {
    return hash.send(SET, token, sequence, [deletions.length, ...deletions, ...sets]);
  }

  protected markSent({ changes }: Values): void {
    for (const { series, values, live } of changes) {
      series.sent.set(values);
      series.known = true;
      series.live = live;
    }
  }

  /** Has all fields sent again, since they hold whole values. */
  protected async adopt(): Promise<boolean> {
    this.forgetKnown();
    return true;
  }

  #changeOf(series: Series): Change | undefined {
    const { sources, sent, known, writer } = series;
    const live = writer?.live ?? true;
    const [{ page, offset }, ...more] = sources as [Cells, ...Cells[]];
    const cells = page.slice(offset, offset + sent.length);
    for (const source of more) accumulate(this.family, cells, 0, source.page, source.offset, live);
    const isKnown = known && live === series.live;
    if (isKnown && cells.every((value, cell) => Object.is(value, sent[cell]))) return undefined;
    return { series, values: [...cells], live };
  }
}

/** A field of the hash, with its parsed name. */
interface Field {
  readonly name: string;
  /** The row of its series; -1 for a field that holds no series. */
  readonly row: number;
  readonly producer: string;
}

/** Number of deleted fields whose names may stay in memory, in addition to the number of fields in the hash. */
const MAX_STALE = 1000;

/** Reads the values of all writers. Parsed field names are kept from read to read. */
export class PerWriterReader {
  readonly family: FamilyDescriptor;
  /** The number of joins to the hash, by all producers, as of the last read. */
  joins = 0;
  #labels = new LabelColumn();
  #rows = new Map<string, number>();
  #known = new Map<string, Field>();
  /** The fields in the order of the last reply. It seldom changes, so most fields are found by their index. */
  #order: Field[] = [];

  constructor(family: FamilyDescriptor) {
    this.family = family;
  }

  /**
   * Resolves with undefined when there is no hash.
   *
   * @param living - the producers that are running
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
    const { family } = this;
    const fields = this.#fieldsOf(hash);
    const values = new Float64Array(this.#labels.size * family.cells);
    const present = new Uint8Array(this.#labels.size);
    const live = new Uint8Array(this.#labels.size);
    for (let i = 0; i < fields.length; i++) {
      const { name, row, producer } = fields[i]!;
      const text = hash[2 * i + 1]!;
      if (name === HEAD.joins) this.joins = Number(text);
      if (row < 0 || !this.#addWriter(values, row, text, living.has(producer), live)) continue;
      present[row] = 1;
    }
    let rows = this.#labels.view();
    if (present.includes(0)) {
      const lengths = rows.lengths.slice(0, rows.size);
      for (let row = 0; row < rows.size; row++) if (present[row] === 0) lengths[row] = REMOVED;
      rows = { ...rows, lengths };
    }
    return family.merge === 'each' ? { family, rows, values, live } : { family, rows, values };
  }

  /** Merges one writer's values into a row. Returns whether the values count in the merge mode of the family. */
  #addWriter(
    values: Float64Array,
    row: number,
    text: string,
    isProducerLive: boolean,
    live: Uint8Array,
  ): boolean {
    const { family } = this;
    const words = text.split(' ');
    const isLive = isProducerLive && words.at(-1) !== ENDED;
    if (family.merge.startsWith('live') && !isLive) return false;
    if (words.length < family.cells) throw new Error(`${show(text)} does not have ${family.cells} numbers`);
    const cells = Float64Array.from(words.slice(0, family.cells), parseNumber);
    if (isPerWriter(family) && cells[TOUCHED] === 0) return false;
    accumulate(family, values, row * family.cells, cells, 0, isLive);
    if (isLive) live[row] = 1;
    return true;
  }

  #fieldsOf(hash: readonly string[]): readonly Field[] {
    const count = hash.length / 2;
    if (this.#known.size > 2 * count + MAX_STALE) this.#forget();
    const order = this.#order;
    order.length = Math.min(order.length, count);
    for (let i = 0; i < count; i++) {
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
    if (parsed?.labels.length !== this.family.labelNames.length) return { name, row: -1, producer: '' };
    const { labels, producer, writer } = parsed;
    const row = this.#rowOf(labels, writer === '' ? producer : `${producer}/${writer}`);
    return { name, row, producer };
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
