/**
 * What this process sends: changes found by comparing its pages with what was last acknowledged, in batches
 * that are frozen until Redis has answered. What waits is never more than one number for each cell.
 */
import type { FamilyDescriptor } from '../../model/family.js';
import type { Cells, Writer } from '../backend.js';
import type { Place } from './blocks.js';
import { familyId } from './fields.js';

/** A series, and what Redis has of it. */
export interface Series extends Place {
  /** Label values, as JSON. */
  readonly labels: string;
  /** Whose it is; undefined where all writers of this process add up. */
  readonly writer: Writer | undefined;
  /** The cells of each writer of this process. */
  readonly parts: Cells[];
  readonly sent: Float64Array;
  /** Whether Redis has heard of it: a series that never changed is shown too. */
  known: boolean;
  /** Whether Redis was told that its writer is there. */
  live: boolean;
  row: number;
  generation: number;
}

/** A series that is not counted in any more: `removed` for everybody, `moved` as far as it was counted here. */
export interface Leaving {
  readonly series: Series;
  readonly why: 'removed' | 'moved';
}

interface Numbered {
  readonly sequence: number;
  /** Whose leaving is done with it. */
  readonly left: readonly Leaving[];
}

/** What sums grow by. */
export interface Additions extends Numbered {
  readonly kind: 'add';
  readonly series: readonly Series[];
  /** `cells` for each series. */
  readonly deltas: Float64Array;
  /** What will have been sent of each series. */
  readonly values: Float64Array;
  /** Whether Redis shall make series that it does not have. */
  readonly create: boolean;
}

/** Sums that are no longer wanted. */
export interface Removal extends Numbered {
  readonly kind: 'remove';
  readonly labels: readonly string[];
}

/** Numbers of writers, as they are. */
export interface Numbers extends Numbered {
  readonly kind: 'set';
  readonly deletions: readonly string[];
  /** Fields and values in turn. */
  readonly sets: readonly string[];
  readonly changes: readonly {
    readonly series: Series;
    readonly values: readonly number[];
    readonly live: boolean;
  }[];
}

/** Operations that are sent again, unchanged, until they are acknowledged. */
export type Batch = Additions | Removal | Numbers;

/** One family, as this process counts in it. */
export abstract class ProducerFamily<B extends Batch = Batch> {
  readonly family: FamilyDescriptor;
  readonly id: string;
  /** Whether Redis was told of the family. */
  announced = false;
  /** What batches carry, which names the hash they are for; empty before the first one. */
  token = '';
  /** How often this hash has given a token. */
  arrivals = 0;
  /** Whether a writer other than this process itself counts here. */
  hasOthers = false;
  /** Whether it counted as gone since its last batch: see {@link returned}. */
  hasReturned = false;
  protected readonly series = new Map<string, Series>();
  protected leaving: Leaving[] = [];
  protected batch: B | undefined;
  /** What the pass that is under way has still to look at. */
  protected rest: Iterator<Series> = [].values();
  readonly #places = new Map<Float64Array, Map<number, Series>>();
  #sequence = 0;

  constructor(family: FamilyDescriptor) {
    this.family = family;
    this.id = familyId(family);
  }

  /** Tells series apart. */
  protected abstract keyOf(labels: string, writer: Writer | undefined): string;

  /** The next changes, if there are any. */
  protected abstract freeze(sequence: number): B | undefined;

  /** Takes what was applied as sent. */
  protected abstract apply(batch: B): void;

  /** Whether Redis may have numbers of the series. */
  protected abstract isSeriesSent(series: Series): boolean;

  /** Whether Redis has numbers of this process. */
  get isSent(): boolean {
    return this.token !== '';
  }

  /** Whether Redis is still to be told of series that are gone from here. */
  get isLeaving(): boolean {
    return this.leaving.length > 0;
  }

  add(cells: Cells, labels: readonly string[], writer: Writer | undefined): void {
    const text = JSON.stringify(labels);
    const key = this.keyOf(text, writer);
    let series = this.series.get(key);
    if (series === undefined) {
      const sent = new Float64Array(this.family.cells);
      const where = { row: -1, generation: 0 };
      series = { labels: text, writer, parts: [], sent, known: false, live: true, ...where };
      this.series.set(key, series);
    }
    series.parts.push(cells);
    if (writer !== undefined) this.hasOthers = true;
    let page = this.#places.get(cells.page);
    if (page === undefined) {
      page = new Map();
      this.#places.set(cells.page, page);
    }
    page.set(cells.offset, series);
  }

  /** Forgets a writer's part of a series, and with the last part the series. */
  remove({ page, offset }: Cells, why: Leaving['why']): void {
    const places = this.#places.get(page);
    const series = places?.get(offset);
    if (places === undefined || series === undefined) return;
    places.delete(offset);
    if (places.size === 0) this.#places.delete(page);
    const { parts, labels, writer } = series;
    parts.splice(
      parts.findIndex((cells) => cells.page === page && cells.offset === offset),
      1,
    );
    if (parts.length > 0) return;
    this.series.delete(this.keyOf(labels, writer));
    // What Redis never heard of needs no removal; so what waits does not grow with every series ever made.
    if (series.known || this.isSeriesSent(series)) this.leaving.push({ series, why });
  }

  /** Begins to look for changes, from the first series on. */
  begin(): void {
    this.rest = this.series.values();
  }

  /** The batch to send now: the one that was not acknowledged, or the next changes, if there are any. */
  next(): B | undefined {
    if (this.batch === undefined) {
      this.batch = this.freeze(this.#sequence + 1);
      if (this.batch !== undefined) this.#sequence += 1;
    }
    return this.batch;
  }

  /** Redis has applied the batch. */
  acknowledge(batch: B): void {
    if (batch !== this.batch) return;
    this.apply(batch);
    this.leaving = this.leaving.filter((leaving) => !batch.left.includes(leaving));
    this.batch = undefined;
    this.hasReturned = false;
  }

  /** Redis has nothing of this family any more: everything is sent anew. */
  lost(): void {
    this.batch = undefined;
    this.#sequence = 0;
    this.leaving = [];
    this.announced = false;
    this.token = '';
    this.arrivals = 0;
    for (const series of this.series.values()) series.sent.fill(0);
    this.forgotten();
  }

  /** Redis may not have all series that it was told of. What was added to sums is not sent again. */
  forgotten(): void {
    for (const series of this.series.values()) {
      series.known = false;
      series.row = -1;
    }
  }

  /** This producer counted as gone: its own fields, and the number of its last batch, may not be there. */
  abstract returned(): void;
}
