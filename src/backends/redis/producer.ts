/**
 * What this process sends: changes found by comparing its pages with what was last acknowledged, in batches
 * that are frozen until Redis has answered. What waits is never more than one number for each cell.
 */
import type { FamilyDescriptor } from '../../model/family.js';
import type { Cells, Writer } from '../backend.js';
import { accumulate } from '../merge.js';
import { familyId, GONE, numberText, sharedField, writerField } from './fields.js';

/** Fields of one batch. Redis does nothing else meanwhile; Lua passes on fewer than 8000 values at once. */
const MOST_FIELDS = 2000;

/** A series, and what Redis has of it. */
interface Series {
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
}

/** Operations that are sent again, unchanged, until they are acknowledged. */
export interface Batch {
  readonly sequence: number;
  readonly deletions: string[];
  readonly fields: string[];
  readonly additions: string[];
  /** Fields and values in turn. */
  readonly sets: string[];
  readonly changes: { readonly series: Series; readonly values: readonly number[]; readonly live: boolean }[];
  readonly left: Leaving[];
}

interface Leaving {
  readonly series: Series;
  readonly why: 'removed' | 'moved';
}

/** One family, as this process counts in it. */
export class ProducerFamily {
  readonly family: FamilyDescriptor;
  readonly id: string;
  /** Whether Redis was told of the family. */
  announced = false;
  /** Which hash the acknowledged numbers are in; empty before the first one. */
  identity = '';
  /** Whether a writer other than this process itself counts here. */
  hasOthers = false;
  /** Whether it counted as gone since its last batch: see {@link returned}. */
  hasReturned = false;
  readonly #producer: string;
  /** By labels, and by field where writers stay apart. */
  readonly #series = new Map<string, Series>();
  readonly #places = new Map<Float64Array, Map<number, Series>>();
  #leaving: Leaving[] = [];
  #sequence = 0;
  #batch: Batch | undefined;
  /** What the pass that is under way has still to look at. */
  #rest: Iterator<Series> = [].values();

  constructor(family: FamilyDescriptor, producer: string) {
    this.family = family;
    this.id = familyId(family);
    this.#producer = producer;
  }

  /** Whether Redis has numbers of this process. */
  get isSent(): boolean {
    return this.identity !== '';
  }

  add(cells: Cells, labels: readonly string[], writer: Writer | undefined): void {
    const text = JSON.stringify(labels);
    const key = this.#isShared() ? text : this.#fieldOf(text, writer);
    let series = this.#series.get(key);
    if (series === undefined) {
      const sent = new Float64Array(this.family.cells);
      const owner = this.#isShared() ? undefined : writer;
      series = { labels: text, writer: owner, parts: [], sent, known: false, live: true };
      this.#series.set(key, series);
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

  /**
   * Forgets a writer's part of a series, and with the last part the series: `removed` for everybody, `moved` as
   * far as it was counted here.
   */
  remove({ page, offset }: Cells, why: 'removed' | 'moved'): void {
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
    this.#series.delete(this.#isShared() ? labels : this.#fieldOf(labels, writer));
    // What Redis never heard of needs no removal; so what waits does not grow with every series ever made.
    const isSent = series.known || this.#batch?.changes.some((change) => change.series === series);
    if (isSent) this.#leaving.push({ series, why });
  }

  /** Begins to look for changes, from the first series on. */
  begin(): void {
    this.#rest = this.#series.values();
  }

  /** The batch to send now: the one that was not acknowledged, or the next changes, if there are any. */
  next(): Batch | undefined {
    this.#batch ??= this.#freeze();
    return this.#batch;
  }

  /** Redis has applied the batch. */
  acknowledge(batch: Batch): void {
    if (batch !== this.#batch) return;
    for (const { series, values, live } of batch.changes) {
      series.sent.set(values);
      series.known = true;
      series.live = live;
    }
    this.#leaving = this.#leaving.filter((leaving) => !batch.left.includes(leaving));
    this.#batch = undefined;
    this.hasReturned = false;
  }

  /** Redis has nothing of this family any more: everything is sent anew. */
  lost(): void {
    this.#batch = undefined;
    this.#sequence = 0;
    this.#leaving = [];
    this.announced = false;
    this.identity = '';
    for (const series of this.#series.values()) {
      series.sent.fill(0);
      series.known = false;
    }
  }

  /** This producer counted as gone: its own fields, and the number of its last batch, may not be there. */
  returned(): void {
    this.hasReturned = true;
    if (this.#isShared()) return;
    for (const series of this.#series.values()) series.known = false;
  }

  #isShared(): boolean {
    return this.family.merge === 'add';
  }

  #fieldOf(labels: string, writer: Writer | undefined): string {
    return writerField(this.#producer, writer?.id ?? '', labels);
  }

  #freeze(): Batch | undefined {
    const batch: Batch = {
      sequence: this.#sequence + 1,
      deletions: [],
      fields: [],
      additions: [],
      sets: [],
      changes: [],
      left: [],
    };
    const { deletions, fields, sets } = batch;
    const isFull = () => deletions.length + fields.length + sets.length / 2 >= MOST_FIELDS;
    for (const leaving of this.#leaving) {
      if (isFull()) break;
      this.#leave(leaving, batch);
    }
    while (!isFull()) {
      const { done, value: series } = this.#rest.next();
      if (done) break;
      if (this.#isShared()) this.#freezeShared(series, batch);
      else this.#freezeOwn(series, batch);
    }
    if (deletions.length + fields.length + sets.length === 0) {
      this.#leaving = this.#leaving.filter((leaving) => !batch.left.includes(leaving));
      return undefined;
    }
    this.#sequence += 1;
    return batch;
  }

  #leave(leaving: Leaving, { deletions, fields, additions, left }: Batch): void {
    const { series, why } = leaving;
    const { labels, writer, sent } = series;
    left.push(leaving);
    if (!this.#isShared()) deletions.push(this.#fieldOf(labels, writer));
    else if (why === 'removed') {
      for (let cell = 0; cell < sent.length; cell++) deletions.push(sharedField(cell, labels));
    } else {
      for (let cell = 0; cell < sent.length; cell++) {
        if (sent[cell] === 0) continue;
        fields.push(sharedField(cell, labels));
        additions.push(numberText(-sent[cell]!));
      }
    }
  }

  /** Differences, which add up with everybody else's. */
  #freezeShared(series: Series, { fields, additions, changes }: Batch): void {
    const { parts, sent, known, labels } = series;
    let values: number[] | undefined;
    for (let cell = 0; cell < sent.length; cell++) {
      let value = 0;
      for (let part = 0; part < parts.length; part++) {
        const { page, offset } = parts[part]!;
        value += page[offset + cell]!;
      }
      const before = sent[cell]!;
      if (isSame(value, before) && (known || cell > 0)) continue;
      values ??= [...sent];
      values[cell] = value;
      fields.push(sharedField(cell, labels));
      additions.push(numberText(value - before));
    }
    if (values !== undefined) changes.push({ series, values, live: true });
  }

  /** The writer's own numbers, as they are. */
  #freezeOwn(series: Series, { sets, changes }: Batch): void {
    const { parts, sent, known, labels, writer } = series;
    const live = writer?.live ?? true;
    const [{ page, offset }, ...more] = parts as [Cells, ...Cells[]];
    const cells = page.slice(offset, offset + sent.length);
    for (const part of more) accumulate(this.family, cells, 0, part.page, part.offset, live);
    if (known && live === series.live && cells.every((value, cell) => Object.is(value, sent[cell]))) return;
    const values = [...cells];
    const text = values.map(numberText).join(' ');
    sets.push(this.#fieldOf(labels, writer), live ? text : `${text} ${GONE}`);
    changes.push({ series, values, live });
  }
}

const isSame = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));
