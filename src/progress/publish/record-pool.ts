/**
 * The records of published bars: series of one family in the pages of the loaded backend. Bars of worker threads, child
 * processes and other machines are thus read like metrics, from the same pages.
 */
import { activeBackend, type CellOwner } from '../../backends/active-backend.js';
import type { Move } from '../../backends/backend.js';
import type { FamilyDescriptor } from '../../model/family.js';
import { findOrCreate } from '../../system/find-or-create.js';
import { type BarRecord, type OpenRecord, RECORD_CELLS } from '../bar/record.js';

/**
 * The family of all bars, from which a proxy makes metrics. Series of different writers are not added up, so that the
 * running bars of a writer that has ended can be counted as failed.
 */
export const BARS: FamilyDescriptor = {
  scope: 'progress',
  name: 'metheus_bars',
  help: 'Progress bars.',
  type: 'unknown',
  unit: '',
  labelNames: ['proxy', 'bucket', 'unit', 'row'],
  cells: RECORD_CELLS,
  merge: 'each',
  bounds: [],
};

/** A record with the labels of {@link BARS}. */
export interface PooledRecord extends BarRecord {
  readonly labels: readonly string[];
}

/** Pools by the name of their proxy. Never removed, so that a backend that is loaded late receives all records. */
const pools = new Map<string, RecordPool>();

/**
 * The records of a proxy's bars in this thread. After a bar has ended, the next bar of its bucket and unit reuses its
 * record and adds to its counts. So a bucket and unit have no more records than they had bars at one time.
 */
export class RecordPool implements CellOwner {
  readonly #proxy: string;
  readonly #records: PooledRecord[] = [];
  readonly #free = new Map<string, PooledRecord[]>();

  private constructor(proxy: string) {
    this.#proxy = proxy;
    activeBackend().add(this);
  }

  /** Returns the one pool of a proxy's name in this thread. */
  static of(proxy: string): RecordPool {
    return findOrCreate(pools, proxy, () => new RecordPool(proxy));
  }

  /** Yields all records of this thread. */
  static *records(): Iterable<PooledRecord> {
    for (const pool of pools.values()) yield* pool.#records;
  }

  readonly open: OpenRecord = (bucket, unit) => {
    const free = findOrCreate(this.#free, JSON.stringify([bucket, unit]), () => []);
    return free.pop() ?? this.#add(bucket, unit, free);
  };

  migrate(move: Move): void {
    for (const record of this.#records) {
      const cells = move({ family: BARS, labels: record.labels }, record);
      record.page = cells.page;
      record.offset = cells.offset;
    }
  }

  #add(bucket: string, unit: string, free: PooledRecord[]): PooledRecord {
    const labels = [this.#proxy, bucket, unit, String(this.#records.length)].map((text) =>
      text.toWellFormed(),
    );
    const { page, offset } = activeBackend().backend.reserve({ family: BARS, labels });
    const release = () => free.push(record);
    const record: PooledRecord = { page, offset, release, proxy: this.#proxy, labels };
    this.#records.push(record);
    return record;
  }
}
