/**
 * Where published bars count: rows of one family, in the pages of whatever backend is loaded. So the bars of
 * worker threads, child processes and other machines are read like metrics, from the same pages.
 */
import { activeBackend, type CellOwner } from '../../backends/active.js';
import type { Cells, Move } from '../../backends/backend.js';
import type { FamilyDescriptor } from '../../model/family.js';
import { type BarRecord, type OpenRecord, RECORD_CELLS } from '../bar/record.js';

/**
 * The family of all bars. Not exposed as it is: a proxy makes metrics of it. Rows of different writers stay
 * apart, since a bar whose writer is gone is no longer active.
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

class Row implements BarRecord {
  page: Float64Array;
  offset: number;
  readonly labels: readonly string[];
  readonly #free: Row[];

  constructor(labels: readonly string[], { page, offset }: Cells, free: Row[]) {
    this.labels = labels;
    this.page = page;
    this.offset = offset;
    this.#free = free;
  }

  release(): void {
    this.#free.push(this);
  }
}

/** By the name of the proxy. Kept for good, as their rows are: a backend that is loaded late gets them all. */
const pools = new Map<string, RowPool>();

/**
 * The rows of a proxy's bars in this thread. A row is used again by the next bar of its bucket and unit, and
 * goes on counting where the last one stopped: there are never more rows than there were bars at one time.
 */
export class RowPool implements CellOwner {
  readonly #proxy: string;
  readonly #rows: Row[] = [];
  readonly #free = new Map<string, Row[]>();

  private constructor(proxy: string) {
    this.#proxy = proxy;
    activeBackend().add(this);
  }

  /**
   * The one pool of a name in this thread.
   *
   * @param proxy - the name that bars are published under
   */
  static of(proxy: string): RowPool {
    let pool = pools.get(proxy);
    if (pool === undefined) {
      pool = new RowPool(proxy);
      pools.set(proxy, pool);
    }
    return pool;
  }

  readonly open: OpenRecord = (bucket, unit) => {
    const key = JSON.stringify([bucket, unit]);
    let free = this.#free.get(key);
    if (free === undefined) {
      free = [];
      this.#free.set(key, free);
    }
    return free.pop() ?? this.#add(bucket, unit, free);
  };

  migrate(move: Move): void {
    for (const row of this.#rows) {
      const cells = move({ family: BARS, labels: row.labels }, row);
      row.page = cells.page;
      row.offset = cells.offset;
    }
  }

  #add(bucket: string, unit: string, free: Row[]): Row {
    const labels = [this.#proxy, bucket, unit, String(this.#rows.length)].map((text) => text.toWellFormed());
    const row = new Row(labels, activeBackend().backend.reserve({ family: BARS, labels }), free);
    this.#rows.push(row);
    return row;
  }
}
