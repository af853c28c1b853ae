/**
 * What this process sends: changes found by comparing its pages with what was last acknowledged, in batches
 * that are frozen until Redis has answered. What waits is never more than one number for each cell.
 */
import { createHash } from 'node:crypto';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import type { Cells, Writer } from '../backend.js';

/** Operations of one call. Redis does nothing else meanwhile, so they are few: about 10 ms. */
const MOST_OPERATIONS = 2000;

/** A short name that is equal in all programs with this family. */
export function familyId(family: FamilyDescriptor): string {
  return createHash('sha1').update(familyKey(family)).digest('hex').slice(0, 16);
}

/** Field of a cell that everybody adds to. */
export const sharedField = (cell: number, labels: string) => `c:${cell}:${labels}`;
/** Field of all cells of a series of one writer. */
export const writerField = (producer: string, writer: string, labels: string) =>
  `p:${JSON.stringify([producer, writer])}:${labels}`;

/** A series, and what Redis has of it. */
interface Entry {
  /** Label values, as JSON. */
  readonly labels: string;
  readonly writer: Writer | undefined;
  readonly cells: Cells;
  readonly sent: Float64Array;
  /** Whether Redis has heard of it: a series that never changed is shown too. */
  known: boolean;
}

/** Operations that are sent again, unchanged, until they are acknowledged. */
interface Batch {
  readonly sequence: number;
  readonly operations: readonly string[];
  /** Series, cells and the values they will have in Redis. */
  readonly changes: readonly { readonly entry: Entry; readonly cell: number; readonly value: number }[];
}

export class ProducerFamily {
  readonly family: FamilyDescriptor;
  readonly id: string;
  /** Whether Redis was told of the family. */
  announced = false;
  readonly #producer: string;
  readonly #entries = new Map<Float64Array, Map<number, Entry>>();
  #sequence = 0;
  #batch: Batch | undefined;
  /** Fields of removed series. */
  #deletions: string[] = [];
  #withdrawals: string[] = [];

  constructor(family: FamilyDescriptor, producer: string) {
    this.family = family;
    this.id = familyId(family);
    this.#producer = producer;
  }

  add(cells: Cells, labels: readonly string[], writer: Writer | undefined): void {
    const sent = new Float64Array(this.family.cells);
    const entry: Entry = { labels: JSON.stringify(labels), writer, cells, sent, known: false };
    let page = this.#entries.get(cells.page);
    if (page === undefined) {
      page = new Map();
      this.#entries.set(cells.page, page);
    }
    page.set(cells.offset, entry);
  }

  /** Forgets a series: `removed` for everybody, or only this writer's part of it. */
  remove({ page, offset }: Cells, why: 'removed' | 'moved'): void {
    const entry = this.#entries.get(page)?.get(offset);
    if (entry === undefined) return;
    this.#entries.get(page)!.delete(offset);
    if (!this.#isShared()) this.#deletions.push(this.#fieldOf(entry));
    else if (why === 'removed') {
      for (let cell = 0; cell < this.family.cells; cell++)
        this.#deletions.push(sharedField(cell, entry.labels));
    } else {
      for (let cell = 0; cell < this.family.cells; cell++) {
        if (entry.sent[cell] !== 0)
          this.#withdrawals.push('f', sharedField(cell, entry.labels), String(-entry.sent[cell]!));
      }
    }
  }

  /** The batch to send now: the one that was not acknowledged, or the next changes, if there are any. */
  batch(): Batch | undefined {
    this.#batch ??= this.#freeze();
    return this.#batch;
  }

  /** Redis has applied the batch. */
  acknowledge(): void {
    for (const { entry, cell, value } of this.#batch?.changes ?? []) {
      entry.sent[cell] = value;
      entry.known = true;
    }
    this.#batch = undefined;
  }

  /** Redis has nothing of this family any more: everything is sent anew. */
  lost(): void {
    this.#batch = undefined;
    this.#sequence = 0;
    this.announced = false;
    for (const entry of this.#all()) {
      entry.sent.fill(0);
      entry.known = false;
    }
  }

  #isShared(): boolean {
    return this.family.merge === 'add';
  }

  *#all(): Generator<Entry> {
    for (const page of this.#entries.values()) yield* page.values();
  }

  #fieldOf({ labels, writer }: Entry): string {
    return writerField(this.#producer, writer?.id ?? '', labels);
  }

  #freeze(): Batch | undefined {
    const operations = this.#deletions.flatMap((field) => ['-', field, '']);
    operations.push(...this.#withdrawals);
    this.#deletions = [];
    this.#withdrawals = [];
    const changes: Batch['changes'][number][] = [];
    for (const entry of this.#all()) {
      if (operations.length >= MOST_OPERATIONS * 3) break;
      if (this.#isShared()) this.#freezeShared(entry, operations, changes);
      else this.#freezeOwn(entry, operations, changes);
    }
    if (operations.length === 0) return undefined;
    this.#sequence += 1;
    return { sequence: this.#sequence, operations, changes };
  }

  /** Differences, which add up with everybody else's. */
  #freezeShared(entry: Entry, operations: string[], changes: Batch['changes'][number][]): void {
    const { page, offset } = entry.cells;
    for (let cell = 0; cell < entry.sent.length; cell++) {
      const value = page[offset + cell]!;
      if (Object.is(value, entry.sent[cell]) && (entry.known || cell > 0)) continue;
      const change = value - entry.sent[cell]!;
      operations.push(
        Number.isSafeInteger(change) ? 'i' : 'f',
        sharedField(cell, entry.labels),
        numberText(change),
      );
      changes.push({ entry, cell, value });
    }
  }

  /** The writer's own numbers, as they are. */
  #freezeOwn(entry: Entry, operations: string[], changes: Batch['changes'][number][]): void {
    const { page, offset } = entry.cells;
    const values = page.slice(offset, offset + entry.sent.length);
    if (entry.known && values.every((value, cell) => Object.is(value, entry.sent[cell]))) return;
    operations.push('=', this.#fieldOf(entry), [...values].map(numberText).join(' '));
    values.forEach((value, cell) => {
      changes.push({ entry, cell, value });
    });
  }
}

/** Digits that read back to the same number; `inf`, `-inf` and `nan` as Redis and Lua write them. */
function numberText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** Reads {@link numberText}, and what Redis makes of sums. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (!Number.isNaN(number)) return number;
  return text.includes('nan')
    ? Number.NaN
    : text.startsWith('-')
      ? Number.NEGATIVE_INFINITY
      : Number.POSITIVE_INFINITY;
}
