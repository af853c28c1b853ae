/**
 * Changes of one family on their way to Redis.
 *
 * Changes are found by comparing the cells with what Redis acknowledged last. They travel in batches, one at a time: a
 * batch is sent again, unchanged, until Redis has acknowledged it. Later changes stay in the cells meanwhile, so nothing
 * queues up during an outage.
 */
import type { FamilyDescriptor } from '../../model/family.js';
import type { Cells, Writer } from '../backend.js';
import { FamilyHash, familyId, type RedisContext, type Reply } from './family-hash.js';
import type { RedisStatus } from './status.js';
import type { Position } from './sum-blocks.js';

export interface Series extends Position {
  /** Label values, as JSON. */
  readonly labels: string;
  /**
   * Undefined for the thread of this backend. In a sum, all writers of this process share one series, which names the
   * first of them.
   */
  readonly writer: Writer | undefined;
  /** The cells of the series, one entry for each writer of this process. */
  sources: Cells[];
  /** The numbers that Redis acknowledged last. */
  readonly sent: Float64Array;
  /** Whether a batch has contained the series, so that Redis may have it. */
  offered: boolean;
  /** Whether Redis has acknowledged the series. Until then it is sent even if its numbers are still 0. */
  known: boolean;
  /** Whether the writer was running, as acknowledged last by Redis. */
  live: boolean;
}

/** Changes that are sent again, unchanged, until Redis has acknowledged them. */
export interface Batch {
  readonly sequence: number;
  /** The released series whose numbers this batch removes from Redis. */
  readonly released: readonly Series[];
}

/** Maximum number of each of these replies that one flush of a family accepts before it fails. */
const MAX_REPLIES: Partial<Record<Reply['kind'], number>> = { lost: 1, unknown: 1, moved: 1000 };

export abstract class Outbox<B extends Batch = Batch> {
  readonly family: FamilyDescriptor;
  readonly id: string;
  /** Whether the index of families in Redis has the descriptor. */
  announced = false;
  /** The number of times that this producer has joined the hash. */
  joins = 0;
  /** Whether a writer other than the thread of this backend counts in the family. */
  hasOtherWriters = false;
  protected readonly series = new Map<string, Series>();
  /** Released series that Redis still has to delete. */
  protected readonly removed = new Set<Series>();
  /** Released series of which Redis still has to take back this producer's numbers. */
  protected readonly moved = new Set<Series>();
  protected batch: B | undefined;
  /** The series that the scan under way has not compared yet. */
  protected rest: Iterator<Series> = [].values();
  readonly #pages = new Map<Float64Array, Map<number, Series>>();
  /** The token of the hash that this producer has joined. */
  #token: string | undefined;
  #sequence = 0;
  /** Whether compaction may have deleted the sequence number from the hash. The reply `gap` is no loss then. */
  #isGapExpected = false;
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

  /** Records the numbers of a batch as sent. */
  protected abstract markSent(batch: B): void;

  /** Whether this producer has joined the hash. */
  get isJoined(): boolean {
    return this.#token !== undefined;
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
      const sent = new Float64Array(this.family.cells);
      const position = { row: -1, generation: 0 };
      series = {
        labels: json,
        writer,
        sources: [],
        sent,
        offered: false,
        known: false,
        live: true,
        ...position,
      };
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

  /**
   * Sends all changes. Resolves with `true` if Redis had lost this producer's numbers and got them again.
   *
   * @throws the error that kept Redis from taking a batch; the next flush sends the same batch again
   */
  async flush(context: RedisContext): Promise<boolean> {
    this.#hash ??= new FamilyHash(context, this.id);
    const replies = new Map<Reply['kind'], number>();
    this.startScan();
    if (this.isJoined) await this.#announce(context);
    for (let batch = this.next(); batch !== undefined; batch = this.next()) {
      await this.#announce(context);
      const reply = await this.send(this.#hash, await this.#join(this.#hash), batch);
      const count = (replies.get(reply.kind) ?? 0) + 1;
      replies.set(reply.kind, count);
      if (count > (MAX_REPLIES[reply.kind] ?? Number.POSITIVE_INFINITY)) {
        throw new Error(`Redis keeps answering '${reply.kind}' for the metric '${this.family.name}'`);
      }
      this.#receive(reply, batch, context.status);
    }
    return replies.has('lost');
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
    if (this.batch === undefined) {
      this.batch = this.freeze(this.#sequence + 1);
      if (this.batch !== undefined) this.#sequence += 1;
    }
    return this.batch;
  }

  /** Records that Redis has applied a batch. */
  acknowledge(batch: B): void {
    if (batch !== this.batch) return;
    this.markSent(batch);
    this.#forgetReleased(batch.released);
    this.batch = undefined;
    this.#isGapExpected = false;
  }

  /** Records that the hash is gone, so that everything is sent again. */
  reset(): void {
    this.batch = undefined;
    this.#forgetReleased([...this.removed, ...this.moved]);
    this.announced = false;
    this.joins = 0;
    this.#sequence = 0;
    this.#token = undefined;
    for (const series of this.series.values()) series.sent.fill(0);
    this.forgetKnown();
  }

  /** Records that Redis no longer lists this producer. Its fields may have been compacted. */
  expectGap(): void {
    this.#isGapExpected = true;
  }

  /**
   * Marks all series as unknown to Redis, so that the next scan sends them. The numbers that were acknowledged are
   * kept, so no sum is added twice.
   */
  protected forgetKnown(): void {
    for (const series of this.series.values()) {
      series.known = false;
      series.row = -1;
    }
  }

  /** Forgets the rows in these blocks, so that they are looked up again. Only sums have rows. */
  protected forgetRows(_batch: B, _blocks: ReadonlySet<number>): void {}

  #forgetReleased(released: readonly Series[]): void {
    for (const series of released) {
      this.removed.delete(series);
      this.moved.delete(series);
    }
  }

  async #join(hash: FamilyHash): Promise<string> {
    if (this.#token === undefined) {
      this.#token = await hash.join();
      this.joins += 1;
    }
    return this.#token;
  }

  #receive(reply: Reply, batch: B, status: RedisStatus): void {
    switch (reply.kind) {
      case 'applied':
      case 'seen':
        this.acknowledge(batch);
        break;
      case 'gap': {
        const isLoss = !this.#isGapExpected;
        this.acknowledge(batch);
        if (!isLoss) break;
        status.reportRollback(this.family, reply.missing);
        this.forgetKnown();
        this.startScan();
        break;
      }
      case 'moved':
        this.forgetRows(batch, reply.blocks);
        break;
      case 'unknown':
        this.#token = undefined;
        break;
      case 'lost':
        this.reset();
        this.startScan();
    }
  }

  /** Adds the family to the index in which readers find it. */
  async #announce({ connection, keys, settings }: RedisContext): Promise<void> {
    if (this.announced) return;
    await connection.call('HSET', keys.families, this.id, JSON.stringify(this.family));
    await connection.call('EXPIRE', keys.families, settings.expireKeyTime);
    this.announced = true;
  }
}

/** Returns the first entries of a set. */
export function firstOf<T>(set: ReadonlySet<T>, count: number): T[] {
  const first: T[] = [];
  for (const one of set) {
    if (first.length === count) break;
    first.push(one);
  }
  return first;
}
