/** A base class for backends whose storage keeps one number for each key. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { warnOnce } from '../errors.js';
import { type Exemplar, type FamilyDescriptor, type FamilySnapshot, familyKey } from '../model/family.js';
import { findOrCreate } from '../system/find-or-create.js';
import type { Backend, CellRequest, Cells, SnapshotRequest, Writer } from './backend.js';
import { CellTable } from './cell-table.js';
import type { CellExemplars } from './exemplar-table.js';
import { SingleProcessBackend } from './memory.js';
import { Merger } from './merge.js';
import { familyOf, readEntries, type Stored } from './stored-entries.js';

type MaybePromise<T> = T | Promise<T>;

/** A series of this process, and the values of its cells that the storage has. */
interface OwnSeries {
  readonly cells: Cells;
  readonly labels: readonly string[];
  readonly writer: Writer;
  readonly stored: Float64Array;
  isReleased: boolean;
}

interface OwnFamily {
  readonly family: FamilyDescriptor;
  readonly series: Set<OwnSeries>;
  /** Whether the storage has the help text. */
  hasHelp: boolean;
}

/** Minimum seconds without a flush after which a writer counts as ended. */
const MIN_HEARTBEAT = 15;

export abstract class KeyValueBackend implements Backend {
  readonly config: Readonly<Record<string, unknown>> = Object.freeze({});
  /** Seconds between two flushes. */
  readonly flushInterval: number = 1;
  readonly #self: Writer = {
    id: `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`,
    live: true,
  };
  /** Backend that owns the pages. Scrapes read it while the storage is unavailable. */
  readonly #own = new SingleProcessBackend();
  readonly #families = new Map<string, OwnFamily>();
  /** The last flush. The next one starts when it has ended. */
  #flushed: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  /** Adds to the value of a key; a missing key counts as 0. Must be atomic among all processes that share the storage. */
  abstract increment(key: string, by: number): MaybePromise<void>;

  /** Sets the value of a key, which may be NaN or infinite. */
  abstract set(key: string, value: number): MaybePromise<void>;

  /** Returns all keys and their values. */
  abstract entries(): MaybePromise<Iterable<readonly [key: string, value: number]>>;

  /** Starts the flushes. Subclasses that override it connect first, and then call it. */
  async open(): Promise<void> {
    const flush = () => this.flush().catch(warnOfFailure);
    this.#timer = setInterval(flush, 1000 * this.flushInterval).unref();
  }

  reserve(request: CellRequest): Cells {
    const { family, labels, writer = this.#self } = request;
    const cells = this.#own.reserve(request);
    const known = findOrCreate(this.#families, familyKey(family), () => ({
      family,
      series: new Set<OwnSeries>(),
      hasHelp: false,
    }));
    known.series.add({ cells, labels, writer, stored: new Float64Array(family.cells), isReleased: false });
    return cells;
  }

  release(family: FamilyDescriptor, cells: Cells): void {
    this.#own.release(family, cells);
    for (const one of this.#families.get(familyKey(family))?.series ?? []) {
      const { page, offset } = one.cells;
      if (page === cells.page && offset === cells.offset) one.isReleased = true;
    }
  }

  createdOf(family: FamilyDescriptor, cells: Cells): number | undefined {
    return this.#own.createdOf(family, cells);
  }

  /** Keeps the exemplar in this process only. */
  putExemplar(family: FamilyDescriptor, cells: Cells, cell: number, exemplar: Exemplar): void {
    this.#own.putExemplar(family, cells, cell, exemplar);
  }

  exemplarsOf(family: FamilyDescriptor, cells: Cells): CellExemplars | undefined {
    return this.#own.exemplarsOf(family, cells);
  }

  /** Returns the numbers of the storage; while it fails, those of this process, with one warning. */
  async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    if (request.own) return this.#own.snapshot(request);
    let stored: Stored;
    try {
      await this.flush();
      stored = readEntries(await this.entries());
    } catch (error) {
      warnOfFailure(error as Error);
      return this.#own.snapshot(request);
    }
    const requested = new Map(request.families.map((family) => [familyKey(family), family]));
    const snapshots = [...requested].map(([key, family]) => this.#merge(key, family, stored));
    for (const key of new Set([...stored.series.keys(), ...this.#families.keys()])) {
      const family = this.#families.get(key)?.family ?? familyOf(key, stored.help.get(key) ?? '');
      if (requested.has(key) || !request.scopes.includes(family.scope) || this.#isOwn(key)) continue;
      snapshots.push(this.#merge(key, family, stored));
    }
    return this.#own.addExemplars(snapshots);
  }

  /** Sends what has changed. Rejects when the storage fails; the next flush then sends it. */
  flush(): Promise<void> {
    const flushed = this.#flushed.then(() => this.#send());
    this.#flushed = flushed.catch(() => {});
    return flushed;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush().catch(warnOfFailure);
    await Promise.resolve(this.set(JSON.stringify(['writer', this.#self.id]), 0)).catch(warnOfFailure);
  }

  /** Reports whether a family has series of this thread and no other writer of this process. */
  #isOwn(key: string): boolean {
    const series = [...(this.#families.get(key)?.series ?? [])];
    return series.length > 0 && series.every(({ writer }) => writer === this.#self);
  }

  async #send(): Promise<void> {
    const sent: Promise<void>[] = [];
    const writers = new Set([this.#self]);
    for (const [key, known] of this.#families) {
      const { family, series } = known;
      if (!known.hasHelp) {
        const send = async () => this.set(JSON.stringify(['help', key, family.help]), 1);
        sent.push(
          send().then(() => {
            known.hasHelp = true;
          }),
        );
      }
      for (const one of series) {
        if (one.writer.live) writers.add(one.writer);
        for (let cell = 0; cell < family.cells; cell++) sent.push(...this.#sendCell(key, family, one, cell));
      }
    }
    for (const { id } of writers) {
      const send = async () => this.set(JSON.stringify(['writer', id]), Date.now() / 1000);
      sent.push(send());
    }
    const results = await Promise.allSettled(sent);
    for (const { series } of this.#families.values()) {
      for (const one of series)
        if (one.isReleased && one.stored.every((value) => value === 0)) series.delete(one);
    }
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  *#sendCell(
    key: string,
    { merge }: FamilyDescriptor,
    one: OwnSeries,
    cell: number,
  ): Iterable<Promise<void>> {
    const { cells, labels, writer, stored, isReleased } = one;
    const value = isReleased ? 0 : cells.page[cells.offset + cell]!;
    const before = stored[cell]!;
    if (Object.is(value, before)) return;
    const send = async () =>
      merge === 'add'
        ? this.increment(JSON.stringify([key, labels, cell]), value - before)
        : this.set(JSON.stringify([key, labels, cell, writer.id]), value);
    yield send().then(() => {
      stored[cell] = value;
    });
  }

  #merge(key: string, family: FamilyDescriptor, { series, seenAt }: Stored): FamilySnapshot {
    const own = [...(this.#families.get(key)?.series ?? [])].filter(({ isReleased }) => !isReleased);
    const local = new Map(own.map(({ writer }) => [writer.id, writer]));
    const tables = new Map<string, CellTable>();
    const rows = new Map<string, Cells>();
    const rowOf = (id: string, labels: readonly string[]): Cells =>
      findOrCreate(rows, JSON.stringify([id, labels]), () => {
        const heartbeat = Math.max(MIN_HEARTBEAT, 3 * this.flushInterval);
        const isAlive = () => Date.now() / 1000 - (seenAt.get(id) ?? 0) < heartbeat;
        const writer = local.get(id) ?? { id, live: isAlive() };
        return findOrCreate(tables, id, () => new CellTable(family, writer)).reserve(labels);
      });
    const isSum = family.merge === 'add';
    for (const { labels, writer } of own) rowOf(isSum ? this.#self.id : writer.id, labels);
    for (const { labels, writer, values } of series.get(key)?.values() ?? []) {
      const id = isSum ? this.#self.id : writer!;
      const isKnown = rows.has(JSON.stringify([id, labels]));
      if (!isKnown && [...values.values()].every((value) => value === 0)) continue;
      const { page, offset } = rowOf(id, labels);
      for (const [cell, value] of values) page[offset + cell] = value;
    }
    // The storage does not record when the other writers began to count.
    const { created: _, ...merged } = new Merger(family).merge([...tables.values()]);
    return { ...merged, family };
  }
}

function warnOfFailure({ message }: Error): void {
  warnOnce(`key-value ${message}`, `Metrics stay in this process, since their storage fails: ${message}`);
}
