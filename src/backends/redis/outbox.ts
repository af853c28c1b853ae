/**
 * Changes of one family on their way to Redis.
 *
 * Changes are found by comparing the cells with what Redis acknowledged last. They travel in batches, one at a time: a
 * batch is sent again, unchanged, until Redis has acknowledged it. Later changes stay in the cells meanwhile, so
 * nothing queues up during an outage.
 */
import type { FamilyDescriptor } from '../../model/family.js';
import type { Cells, LabelPattern, Writer } from '../backend.js';
import { PendingRemovals } from '../pending-removals.js';
import { FamilyHash, familyId, type Joined, type RedisContext, type Reply } from './family-hash.js';
import { makeSeries, type Series } from './series.js';
import type { Loss } from './status.js';

/** Changes that are sent again, unchanged, until Redis has acknowledged them. */
export interface Batch {
  readonly sequence: number;
  /** The released series whose numbers this batch removes from Redis. */
  readonly released: readonly Series[];
}

/** Maximum joins, and maximum batches whose rows must be looked up again, before a flush of a family fails. */
const MAX_JOINS = 3;
const MAX_MOVES = 1000;

export abstract class Outbox<B extends Batch = Batch> {
  readonly family: FamilyDescriptor;
  readonly id: string;
  /** Whether the index of families in Redis has the descriptor. */
  announced = false;
  /** The number of times that the hash has counted a join of this producer. */
  joins = 0;
  /** Whether a writer other than the thread of this backend counts in the family. */
  hasOtherWriters = false;
  protected readonly series = new Map<string, Series>();
  /** Released series that Redis still has to delete. */
  protected readonly removed = new Set<Series>();
  /** Released series from which this producer's numbers in Redis must still be withdrawn. */
  protected readonly moved = new Set<Series>();
  protected batch: B | undefined;
  /** The series that the scan under way has not compared yet. */
  protected rest: Iterator<Series> = [].values();
  readonly #pages = new Map<Float64Array, Map<number, Series>>();
  #removals: PendingRemovals<LabelPattern> | undefined;
  /** The token of the last join; empty before the first. */
  #token = '';
  /** Whether this producer must join the hash again because the hash may lack acknowledged batches. */
  #mustRejoin = false;
  /** Number of the last acknowledged batch with this token. */
  #sequence = 0;
  #hash: FamilyHash | undefined;

  constructor(family: FamilyDescriptor) {
    this.family = family;
    this.id = familyId(family);
  }

  /** Returns the key of a series in the map `series`. */
  protected abstract keyOf(labels: string, writer: Writer | undefined): string;

  /** Returns the next changes as a batch; undefined when there are none. */
  protected abstract freeze(sequence: number): B | undefined;

  /** Sends a batch once. */
  protected abstract send(hash: FamilyHash, token: string, batch: B): Promise<Reply>;

  /**
   * Takes over this producer's numbers in a hash, so that the next scan finds the differences. Resolves with `false` if
   * the hash is not the one that was joined.
   *
   * @param isFirst - whether this producer has not joined any hash of the family before
   */
  protected abstract adopt(hash: FamilyHash, joined: Joined, isFirst: boolean): Promise<boolean>;

  /** Looks up the series of ended producers that match, which the next batches delete. */
  protected abstract findEnded(context: RedisContext, patterns: readonly LabelPattern[]): Promise<void>;

  /** Records the numbers of a batch as sent. */
  protected abstract markSent(batch: B): void;

  /** Whether this producer has joined the hash, as far as it knows. */
  get isJoined(): boolean {
    return this.#token !== '' && !this.#mustRejoin;
  }

  /** Whether released series are still in Redis. */
  get hasReleased(): boolean {
    return this.removed.size + this.moved.size > 0;
  }

  /** Adds the cells of one writer to a series. */
  add(cells: Cells, labels: readonly string[], writer: Writer | undefined): void {
    const json = JSON.stringify(labels);
    const key = this.keyOf(json, writer);
    let series = this.series.get(key);
    if (series === undefined) {
      series = makeSeries(json, writer, this.family.cells);
      this.series.set(key, series);
    }
    series.sources.push(cells);
    if (writer !== undefined) this.hasOtherWriters = true;
    let page = this.#pages.get(cells.page);
    if (page === undefined) {
      page = new Map();
      this.#pages.set(cells.page, page);
    }
    page.set(cells.offset, series);
  }

  /**
   * Forgets the cells of one writer. If the series has no other cells, it is released.
   *
   * @param why - `removed`: Redis deletes the series. `moved` to another backend: Redis takes back this producer's
   * numbers only
   */
  remove({ page, offset }: Cells, why: 'removed' | 'moved'): void {
    const offsets = this.#pages.get(page);
    const series = offsets?.get(offset);
    if (offsets === undefined || series === undefined) return;
    offsets.delete(offset);
    if (offsets.size === 0) this.#pages.delete(page);
    series.sources = series.sources.filter((cells) => cells.page !== page || cells.offset !== offset);
    if (series.sources.length > 0) return;
    this.series.delete(this.keyOf(series.labels, series.writer));
    // A series unknown to Redis needs no removal, so series that come and go during an outage leave nothing behind.
    if (series.offered) this[why].add(series);
  }

  /** Schedules the matching series of ended producers for deletion by a later flush. */
  removeEnded(pattern: LabelPattern): void {
    this.#removals ??= new PendingRemovals();
    this.#removals.add(JSON.stringify(pattern), pattern);
  }

  /**
   * Sends all changes. Resolves with the loss that was found, if any.
   *
   * @param isAwaited - whether a reader waits, so that nothing is put off
   * @throws the error that kept Redis from taking a batch; the next flush sends the same batch again
   */
  async flush(context: RedisContext, isAwaited = false): Promise<Loss | undefined> {
    this.#hash ??= new FamilyHash(context, this.id);
    if (this.#removals?.isDue || (isAwaited && this.#removals?.isEmpty === false)) {
      const patterns = this.#removals.list();
      await this.findEnded(context, patterns);
      this.#removals.delete(patterns);
    }
    let loss: Loss | undefined;
    let joins = 0;
    let moves = 0;
    this.startScan();
    if (this.isJoined) await this.#announce(context);
    for (let batch = this.next(); batch !== undefined || this.#mustRejoin; batch = this.next()) {
      await this.#announce(context);
      if (batch === undefined || !this.isJoined) {
        joins += 1;
        if (joins > MAX_JOINS) throw new Error('the hash is lost again and again');
        loss = (await this.#join(this.#hash)) ?? loss;
        continue;
      }
      const reply = await this.send(this.#hash, this.#token, batch);
      if (reply.kind === 'ok' || reply.kind === 'seen') this.acknowledge(batch);
      else if (reply.kind === 'moved') {
        moves += 1;
        if (moves > MAX_MOVES) throw new Error('the rows of its series move again and again');
        this.forgetRows(batch, reply.blocks);
      } else this.rejoin();
    }
    return loss;
  }

  /** Reports whether a field of this producer is that of the last batch, or of the batch without a reply. */
  isContinuedBy(field: string | null): boolean {
    return [this.#sequence, this.#sequence + 1].some((sequence) => field === `${this.#token} ${sequence}`);
  }

  /** Starts to look for changes, at the first series. */
  startScan(): void {
    this.rest = this.series.values();
  }

  /**
   * Returns the batch to send: the last one if Redis has not acknowledged it, otherwise a new one with the next
   * changes. Returns undefined when there are no changes.
   */
  next(): B | undefined {
    this.batch ??= this.freeze(this.#sequence + 1);
    return this.batch;
  }

  /**
   * Records the numbers that this producer had before its compaction, when it first returns after it. Discards them if
   * the hash has returned to a state before the compaction.
   */
  protected rebase(series: Series, { before, wasCompacted }: Joined): void {
    if (!wasCompacted) series.base = undefined;
    else if (before === '') series.base ??= series.sent.slice();
  }

  /** Records that Redis has applied a batch. */
  acknowledge(batch: B): void {
    if (batch !== this.batch) return;
    this.markSent(batch);
    this.forgetReleased(batch.released);
    this.batch = undefined;
    this.#sequence = batch.sequence;
  }

  /** Records that the hash does not have what it acknowledged, so that this producer joins it again. */
  rejoin(): void {
    this.#mustRejoin = this.#token !== '';
    this.announced = false;
    this.forgetKnown();
    this.startScan();
  }

  /** Marks all series as unknown to Redis, so that the next scan sends them. */
  protected forgetKnown(): void {
    for (const series of this.series.values()) {
      series.known = false;
      series.row = -1;
    }
  }

  /** Forgets the rows in these blocks, so that they are looked up again. Only sums have rows. */
  protected forgetRows(_batch: B, _blocks: ReadonlySet<number>): void {}

  /** Forgets released series, which Redis does not have any more. */
  protected forgetReleased(released: Iterable<Series>): void {
    for (const series of released) {
      this.removed.delete(series);
      this.moved.delete(series);
    }
  }

  /**
   * Joins the hash with a new token. Drops the batch without a reply: it cannot be applied any more, and what the hash
   * has shows whether it was. Resolves with the loss that was found, if any.
   */
  async #join(hash: FamilyHash): Promise<Loss | undefined> {
    const previous = this.#token;
    joinsOfProcess += 1;
    const joined = await hash.join(joinsOfProcess);
    if (joined === undefined) return undefined;
    const { token, before, wasCompacted } = joined;
    const isContinued = wasCompacted || this.isContinuedBy(before);
    if (!(await this.adopt(hash, joined, previous === ''))) return undefined;
    this.batch = undefined;
    this.#token = token;
    this.#sequence = 0;
    this.#mustRejoin = false;
    this.startScan();
    const isSame = identityOf(token) === identityOf(previous);
    if (!isSame) {
      this.joins = 0;
      if (before === '') this.forgetReleased([...this.removed, ...this.moved]);
    }
    if (before === '') this.joins += 1;
    if (previous === '' || isContinued) return undefined;
    return isSame ? 'earlier' : 'lost';
  }

  /** Adds the family to the index in which readers find it. */
  async #announce({ connection, keys }: RedisContext): Promise<void> {
    if (this.announced) return;
    await connection.call('HSET', keys.families, this.id, JSON.stringify(this.family));
    this.announced = true;
  }
}

/** Numbers the joins of this process. Later joins have greater numbers in every hash. */
let joinsOfProcess = 0;

/** Returns the identity of the hash that a token belongs to. */
export const identityOf = (token: string): string => token.split('/')[0]!;

/** Returns the first entries of a set or map. */
export function firstOf<T>(set: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const one of set) {
    if (first.length === count) break;
    first.push(one);
  }
  return first;
}
