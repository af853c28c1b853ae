/** Gauges and progress bars, whose writers are kept apart: each field of the hash has one series of one writer. */
import { show } from '../../errors.js';
import type { FamilyDescriptor } from '../../model/family.js';
import { matchesLabels } from '../../model/labels.js';
import { minCellsOf, TOUCHED } from '../../model/metric-types.js';
import type { ServerClock } from '../../system/clock.js';
import type { Cells, LabelPattern, Writer } from '../backend.js';
import { accumulate } from '../merge.js';
import { Script } from './connection.js';
import {
  BEGIN_BATCH,
  type FamilyHash,
  type Joined,
  parseTexts,
  RECORD_BATCH,
  type RedisContext,
  type Reply,
} from './family-hash.js';
import { readFields } from './hash-scan.js';
import { type Batch, firstOf, Outbox } from './outbox.js';
import { readLiving } from './producers.js';
import type { Series } from './series.js';

/** Word that follows the values of a worker thread that has ended, while its process still runs. */
export const ENDED = 'gone';

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

/**
 * Maximum fields of one batch. Redis runs no other command during the script of a batch, and Lua unpacks fewer than
 * 8,000 values at once.
 */
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
  readonly #clock: ServerClock;
  /** Fields of ended producers and of removed series that Redis still has to delete. */
  readonly #stale = new Set<string>();

  constructor(family: FamilyDescriptor, producer: string, clock: ServerClock) {
    super(family);
    this.#producer = producer;
    this.#clock = clock;
  }

  protected keyOf(labels: string, writer: Writer | undefined): string {
    return writerField(this.#producer, writer?.id ?? '', labels);
  }

  protected freeze(sequence: number): Values | undefined {
    const removed = firstOf(this.removed, MAX_FIELDS);
    const released = [...removed, ...firstOf(this.moved, MAX_FIELDS - removed.length)];
    const stale = firstOf(this.#stale, MAX_FIELDS - released.length);
    const deletions = [...released.map((series) => this.keyOf(series.labels, series.writer)), ...stale];
    const sets: string[] = [];
    const changes: Change[] = [];
    while (deletions.length + changes.length < MAX_FIELDS) {
      const { done, value: series } = this.rest.next();
      if (done) break;
      const change = this.#changeOf(series);
      if (change === undefined) continue;
      const text = this.#textOf(valuesOf(change));
      sets.push(this.keyOf(series.labels, series.writer), change.live ? text : `${text} ${ENDED}`);
      changes.push(change);
      series.offered = true;
    }
    if (deletions.length + changes.length === 0) return undefined;
    return { sequence, deletions, sets, changes, released };
  }

  protected async findEnded(context: RedisContext, patterns: readonly LabelPattern[]): Promise<void> {
    const key = context.keys.numbers(this.id);
    const living = await readLiving(context);
    const fields = await readFields(context, key);
    for (let i = 0; i < fields.length; i += 2) {
      const field = parseWriterField(fields[i]!);
      if (field === undefined || living.has(field.producer)) continue;
      if (patterns.some((pattern) => matchesLabels(field.labels, pattern))) this.#stale.add(fields[i]!);
    }
  }

  protected send(hash: FamilyHash, token: string, { sequence, deletions, sets }: Values): Promise<Reply> {
    return hash.send(SET, token, sequence, [deletions.length, ...deletions, ...sets]);
  }

  protected markSent({ changes, deletions }: Values): void {
    for (const field of deletions) this.#stale.delete(field);
    for (const { series, values, live } of changes) {
      series.sent.set(values);
      series.known = true;
      series.live = live;
    }
  }

  /**
   * Schedules all fields to be sent again, which is safe because each holds a whole value. Schedules fields of removed
   * series for deletion, since they reappear when Redis returns to an earlier state.
   */
  protected async adopt({ context, key }: FamilyHash, joined: Joined): Promise<boolean> {
    this.forgetKnown();
    if (this.family.merge === 'sum') for (const series of this.series.values()) this.rebase(series, joined);
    const fields = joined.before === '' ? [] : await readFields(context, key);
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i]!;
      if (parseWriterField(name)?.producer === this.#producer && !this.series.has(name))
        this.#stale.add(name);
    }
    return true;
  }

  /** Returns values as text. Converts times to the clock of the server. */
  #textOf(values: readonly number[]): string {
    const { merge, bounds } = this.family;
    const texts = values.map((value, cell) => {
      if (merge === 'newest' && cell === 0 && value > 0) {
        // The value is the number of a period of `bounds[0]` seconds. The middle of the period is converted to the
        // server's clock, since a small difference between the clocks would move either end into a neighboring period.
        const [length = 1] = bounds;
        return numberText(Math.floor(this.#clock.timeOf((value + 0.5) * length) / length));
      }
      const isTime = minCellsOf(merge) > TOUCHED && cell === TOUCHED && value > 1;
      return numberText(isTime ? this.#clock.timeOf(value) : value);
    });
    return texts.join(' ');
  }

  #changeOf(series: Series): Change | undefined {
    const { sources, sent, known, writer } = series;
    const live = writer?.live ?? true;
    const [{ page, offset }, ...more] = sources as [Cells, ...Cells[]];
    const isKnown = known && live === series.live;
    if (isKnown && more.length === 0 && hasSameCells(sent, page, offset)) return undefined;
    const cells = page.slice(offset, offset + sent.length);
    for (const source of more) accumulate(this.family, cells, 0, source.page, source.offset, live);
    if (isKnown && hasSameCells(sent, cells, 0)) return undefined;
    return { series, values: [...cells], live };
  }
}

/** Returns the values to send. For a summed gauge, subtracts the part that Redis already has from a compaction. */
function valuesOf({ series: { base }, values }: Change): readonly number[] {
  if (base === undefined || !Number.isFinite(base[0])) return values;
  const [value, ...others] = values;
  return [value! - base[0]!, ...others];
}

function hasSameCells(sent: Float64Array, page: Float64Array, offset: number): boolean {
  for (let cell = 0; cell < sent.length; cell++)
    if (!Object.is(page[offset + cell], sent[cell])) return false;
  return true;
}
