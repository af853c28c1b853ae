/**
 * Sending counters, histograms and summaries, whose cells add up over all producers. A batch has the differences from
 * the numbers that Redis acknowledged last.
 */
import type { LabelPattern } from '../backend.js';
import type { Argument } from './config.js';
import { type FamilyHash, HEAD, type Joined, LOST, type RedisContext, type Reply } from './family-hash.js';
import { findRows } from './hash-scan.js';
import { type Batch, firstOf, identityOf, Outbox } from './outbox.js';
import { readProducers } from './producers.js';
import { makeSeries, type Series } from './series.js';
import { addShare, blockOf, encodeAdditions, rowsOfBlock, unlocated } from './sum-blocks.js';
import { ADD, LOCATE, REMOVE } from './sum-scripts.js';

/** Maximum cells of one batch: Redis runs nothing else while it adds them. */
const MAX_CELLS = 8192;
/** Maximum series that Redis looks up by name in one call. */
const MAX_SERIES = 1000;
/** Maximum number of cells in the shares of running producers that one removal batch adds up. */
const MAX_SUMMANDS = 100_000;
/** Minimum number of removed series whose labels are remembered, the latest ones. */
const MIN_REMOVED = 10_000;

/** A batch of numbers to add. */
export interface Additions extends Batch {
  readonly kind: 'add';
  readonly series: readonly Series[];
  /** The numbers to add: as many for each series as the family has cells. */
  readonly deltas: Float64Array;
  /** The totals of this producer in Redis after the batch, in the order of `deltas`. */
  readonly values: Float64Array;
  /** Whether Redis creates series that it does not have. */
  readonly create: boolean;
}

/** A series to remove. This producer no longer has numbers in it, except numbers counted since its release. */
interface RemovedSeries {
  /** Amount up to which a cell counts as 0, since sums of many numbers are inexact. */
  readonly tolerance: number;
  /** Whether the numbers of ended producers are deleted too. */
  readonly ended: boolean;
}

/** A batch of series to remove. */
export interface Removal extends Batch {
  readonly kind: 'remove';
  readonly series: readonly (readonly [labels: string, series: RemovedSeries])[];
}

/** Relative error of a sum of numbers that were added and taken back in many batches. */
const MAX_ERROR = 1e-11;

export class SumOutbox extends Outbox<Additions | Removal> {
  /** Series to remove, by their labels. */
  readonly #removals = new Map<string, RemovedSeries>();
  /** Labels of removed series, as JSON. The series reappear if Redis returns to an earlier state. */
  readonly #removed = new Set<string>();
  /** The running producers, and the ended ones, as of the last lookup. */
  #producers: readonly [running: readonly string[], ended: readonly string[]] = [[], []];
  /** Number of joins by other producers before the last lookup. */
  #otherJoins = 0;

  protected keyOf(labels: string): string {
    return labels;
  }

  protected freeze(sequence: number): Additions | Removal | undefined {
    return this.#freezeWithdrawal(sequence) ?? this.#freezeRemoval(sequence) ?? this.#freezeChanges(sequence);
  }

  protected async findEnded(context: RedisContext, patterns: readonly LabelPattern[]): Promise<void> {
    await this.#listProducers(context);
    const key = context.keys.numbers(this.id);
    for (const labels of await findRows(context, key, patterns)) {
      const { tolerance = 0 } = this.#removals.get(labels) ?? {};
      this.#removals.set(labels, { tolerance, ended: true });
    }
  }

  /** Lists the producers. Counts joins beforehand, so that a producer that joins during the lookup is noticed. */
  async #listProducers(context: RedisContext): Promise<void> {
    const joins = await context.connection.call('HGET', context.keys.numbers(this.id), HEAD.joins);
    this.#otherJoins = Number(joins) - this.joins;
    this.#producers = await readProducers(context);
  }

  protected async adopt(hash: FamilyHash, joined: Joined, isFirst: boolean): Promise<boolean> {
    if (isFirst) return true;
    const { cells } = this.family;
    const released = [...this.removed, ...this.moved];
    const current = [...this.series.values()];
    const isKnown = new Set([...released, ...current].map(({ labels }) => labels));
    const removed = [...this.#removed]
      .filter((labels) => !isKnown.has(labels))
      .map((labels) => makeSeries(labels, undefined, cells));
    const all = [...released, ...current, ...removed];
    for (const series of all) series.row = -1;
    if (!(await this.#locate(hash, joined.token, { series: all, create: false }))) return false;
    const located = all.filter(({ row }) => row >= 0);
    const shares = await hash.readShares([...new Set(located.map(({ row }) => blockOf(cells, row)))]);
    for (const series of all) {
      this.rebase(series, joined);
      series.known = series.row >= 0;
      series.sent.fill(0);
      if (series.base !== undefined) series.sent.set(series.base);
    }
    // A released series and the series created again in its place share a row. The share belongs to the released one.
    const taken = new Set<number>();
    for (const { row, sent } of located) {
      const share = shares.get(blockOf(cells, row));
      if (share !== undefined && !taken.has(row)) addShare(sent, share, row);
      taken.add(row);
    }
    for (const series of removed) if (series.sent.some((value) => value !== 0)) this.removed.add(series);
    return true;
  }

  protected override forgetReleased(released: Iterable<Series>): void {
    super.forgetReleased(released);
    for (const { labels } of released) {
      this.#removed.delete(labels);
      this.#removed.add(labels);
    }
    if (this.#removed.size > 2 * MIN_REMOVED) {
      for (const labels of firstOf(this.#removed, this.#removed.size - MIN_REMOVED))
        this.#removed.delete(labels);
    }
  }

  protected markSent(batch: Additions | Removal): void {
    if (batch.kind === 'remove') {
      for (const [labels, removed] of batch.series) {
        if (this.#removals.get(labels) === removed) this.#removals.delete(labels);
      }
      return;
    }
    for (const series of batch.released) if (this.removed.has(series)) this.#addRemoval(series);
    const { cells } = this.family;
    const { series, values } = batch;
    for (let i = 0; i < series.length; i++) {
      const one = series[i]!;
      one.known = true;
      for (let cell = 0; cell < cells; cell++) one.sent[cell] = values[i * cells + cell]!;
    }
  }

  protected async send(hash: FamilyHash, token: string, batch: Additions | Removal): Promise<Reply> {
    const { cells } = this.family;
    const { sequence } = batch;
    if (batch.kind === 'remove') {
      const joins = this.#otherJoins + this.joins;
      const [running, ended] = this.#producers;
      const args: Argument[] = [cells, rowsOfBlock(cells), joins];
      args.push(running.length, ...running, ended.length, ...ended);
      for (const [labels, { tolerance, ended }] of batch.series) {
        args.push(labels, tolerance, ended ? 1 : 0, this.series.get(labels)?.known ? 1 : 0);
      }
      const reply = await hash.send(REMOVE, token, sequence, args);
      if (reply.kind === 'moved') await this.#listProducers(hash.context);
      return reply;
    }
    if (!(await this.#locate(hash, token, batch))) return LOST;
    return hash.send(ADD, token, sequence, [encodeAdditions(cells, batch.series, batch.deltas)]);
  }

  protected override forgetRows(batch: Additions | Removal, blocks: ReadonlySet<number>): void {
    if (batch.kind === 'remove') return;
    const rows = rowsOfBlock(this.family.cells);
    for (const one of batch.series) if (blocks.has(Math.floor(one.row / rows))) one.row = -1;
  }

  /** Finds the rows of a batch. Resolves with `false` if the hash is not the one that was joined. */
  async #locate(
    hash: FamilyHash,
    token: string,
    { series, create }: Pick<Additions, 'series' | 'create'>,
  ): Promise<boolean> {
    const { cells } = this.family;
    const identity = identityOf(token);
    const args = [identity, hash.expireKeyTime, cells, rowsOfBlock(cells), create ? 1 : 0];
    let missing = unlocated(cells, series);
    while (missing.length > 0) {
      // Series that have no row, even after the lookup, since `create` is false. They are not looked up again.
      const absent = new Set<Series>();
      for (let i = 0; i < missing.length; i += MAX_SERIES) {
        const some = missing.slice(i, i + MAX_SERIES);
        const labels = some.map((one) => one.labels);
        const reply = (await hash.run(LOCATE, [...args, ...labels])) as string;
        if (reply === 'lost') return false;
        const found = reply.split(' ');
        for (const [j, one] of some.entries()) {
          one.row = Number(found[2 * j]);
          one.generation = Number(found[2 * j + 1]);
          if (one.row < 0) absent.add(one);
        }
      }
      missing = unlocated(cells, series).filter((one) => !absent.has(one));
    }
    return true;
  }

  /**
   * Returns the next removals. Removals are sent after this producer's numbers have been withdrawn and before
   * additions, since a removed series may have been created again.
   */
  #freezeRemoval(sequence: number): Removal | undefined {
    const summands = this.#producers[0].length * this.family.cells;
    const series = firstOf(this.#removals, Math.min(MAX_SERIES, Math.ceil(MAX_SUMMANDS / (summands + 1))));
    return series.length === 0 ? undefined : { kind: 'remove', sequence, series, released: [] };
  }

  #addRemoval({ labels, sent }: Series): void {
    const ended = this.#removals.get(labels)?.ended ?? false;
    const tolerance = MAX_ERROR * sent.reduce((most, cell) => Math.max(most, Math.abs(cell)), 0);
    // Moved to the end of the map, so that removals are sent in the order of their rows. Neighbouring rows share a block
    // in Redis, which is then rewritten once.
    this.#removals.delete(labels);
    this.#removals.set(labels, { tolerance, ended });
  }

  /**
   * Returns additions that withdraw this producer's numbers from released series. The additions do not recreate series
   * that Redis no longer has.
   */
  #freezeWithdrawal(sequence: number): Additions | undefined {
    const { cells } = this.family;
    const max = Math.ceil(MAX_CELLS / cells);
    const removed = firstOf(this.removed, max);
    const series = [...removed, ...firstOf(this.moved, max - removed.length)];
    if (series.length === 0) return undefined;
    const values = new Float64Array(series.length * cells);
    const deltas = values.map((_, i) => 0 - series[Math.floor(i / cells)]!.sent[i % cells]!);
    return { kind: 'add', sequence, series, deltas, values, create: false, released: series };
  }

  #freezeChanges(sequence: number): Additions | undefined {
    const { cells } = this.family;
    const max = Math.ceil(MAX_CELLS / cells);
    const series: Series[] = [];
    while (series.length < max) {
      const { done, value: one } = this.rest.next();
      if (done) break;
      if (one.known && !hasChanged(one)) continue;
      one.offered = true;
      series.push(one);
    }
    if (series.length === 0) return undefined;
    const values = new Float64Array(series.length * cells);
    const deltas = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const one = series[Math.floor(i / cells)]!;
      const cell = i % cells;
      const value = cellOf(one, cell);
      const before = one.sent[cell]!;
      values[i] = value;
      deltas[i] = isSame(value, before) ? 0 : value - before;
    }
    return { kind: 'add', sequence, series, deltas, values, create: true, released: [] };
  }
}

/** Adds up one cell over all writers of this process. */
function cellOf({ sources }: Series, cell: number): number {
  let value = 0;
  for (let i = 0; i < sources.length; i++) value += sources[i]!.page[sources[i]!.offset + cell]!;
  return value;
}

function hasChanged(series: Series): boolean {
  for (let cell = 0; cell < series.sent.length; cell++) {
    if (!isSame(cellOf(series, cell), series.sent[cell]!)) return true;
  }
  return false;
}

/**
 * Reports whether two numbers are the same, also if both are NaN. Equal infinities must not be subtracted: the result
 * would be NaN.
 */
const isSame = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));
