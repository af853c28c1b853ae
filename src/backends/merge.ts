/** Merging writers: the rows of several writers of one family become one snapshot. */
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { LabelColumn, type LabelRows, REMOVED, rowText } from '../model/label-column.js';
import { escapeLabelValue } from '../model/labels.js';
import { type MergeRule, TOUCHED } from '../model/metric-types.js';
import { runAtOnce, runInSlices, TimeSlice } from '../system/time-slice.js';
import type { Writer } from './backend.js';

/** One writer's rows of a family. */
export interface MergeSource {
  readonly writer: Writer;
  /** Its rows, which may still grow. */
  readonly labels: LabelColumn;
  /** The numbers of those rows now. */
  values(): Float64Array;
  /** Unix seconds at which each of those rows began to count, where that is known. */
  created?(): Float64Array | undefined;
}

/**
 * Adds one writer's cells to a merged row, as the family's merge mode says.
 *
 * Gauges: a cell nobody touched is no value at all, so that `min` does not see its zero.
 */
export function accumulate(
  { merge, cells }: FamilyDescriptor,
  into: Float64Array,
  to: number,
  from: Float64Array,
  start: number,
  live: boolean,
): void {
  if (merge === 'add' || merge === 'each') {
    for (let cell = 0; cell < cells; cell++) into[to + cell]! += from[start + cell]!;
    return;
  }
  if (merge === 'newest') {
    const newer = from[start]! - into[to]!;
    if (newer < 0) return;
    if (newer > 0) into.fill(0, to, to + cells);
    for (let cell = 1; cell < cells; cell++) into[to + cell]! += from[start + cell]!;
    into[to] = from[start]!;
    return;
  }
  const at = from[start + TOUCHED]!;
  if (at === 0) return;
  const value = from[start]!;
  const before = into[to + TOUCHED]!;
  into[to] = before === 0 ? onlyOf(merge, value, at, live) : both(merge, into[to]!, before, value, at, live);
  into[to + TOUCHED] = Math.max(before, at);
}

/** The earlier of two times, 0 where none is known. */
export function older(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}

/** Whether a gauge was set, not only incremented: see {@link TOUCHED}. */
const wasSet = (at: number) => at > 1;

function onlyOf(merge: MergeRule, value: number, at: number, live: boolean): number {
  return merge === 'shared' && !wasSet(at) && !live ? 0 : value;
}

function both(merge: MergeRule, a: number, aAt: number, b: number, bAt: number, live: boolean): number {
  switch (merge) {
    case 'min':
    case 'livemin':
      return Math.min(a, b);
    case 'max':
    case 'livemax':
      return Math.max(a, b);
    case 'sum':
    case 'livesum':
      return a + b;
    case 'shared':
      // Increments of the living add up until somebody sets; from then on the last set wins.
      if (!wasSet(aAt) && !wasSet(bAt)) return live ? a + b : a;
      return bAt >= aAt ? b : a;
    default:
      return bAt >= aAt ? b : a;
  }
}

/** What one source had at one moment. Nothing in it changes afterwards. */
interface Taken {
  readonly source: MergeSource;
  readonly live: boolean;
  readonly version: number;
  readonly rows: LabelRows;
  readonly values: Float64Array;
  readonly created: Float64Array | undefined;
}

/** Where the rows of one source went. */
interface Placement {
  readonly source: MergeSource;
  readonly version: number;
  readonly rows: number[];
}

/** A merge whose numbers are taken. */
export type BegunMerge = (slice: TimeSlice) => Promise<FamilySnapshot>;

/** Rows between two looks at the clock. */
const ROWS_AT_ONCE = 1024;

/**
 * Merges the same family again and again. It remembers where each source's rows go, so that a merge of what
 * it has seen before is additions only.
 */
export class Merger {
  readonly #family: FamilyDescriptor;
  #labels = new LabelColumn();
  #rowOf = new Map<string, number>();
  #placements: Placement[] = [];
  /** Merges that are not over. What is remembered is for one at a time. */
  #running = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(family: FamilyDescriptor) {
    this.#family = family;
  }

  merge(sources: readonly MergeSource[]): FamilySnapshot {
    if (this.#running > 0) return new Merger(this.#family).merge(sources);
    return runAtOnce(this.#merging(this.#take(sources)));
  }

  /** The same in turns with the event loop: takes the numbers of all sources now, and gives what does the rest. */
  begin(sources: readonly MergeSource[]): BegunMerge {
    const taken = this.#take(sources);
    return async (slice) => {
      this.#running += 1;
      const merged = this.#last.then(() => runInSlices(this.#merging(taken), slice));
      this.#last = merged.catch(() => {});
      return merged.finally(() => {
        this.#running -= 1;
      });
    };
  }

  #take(given: readonly MergeSource[]): Taken[] {
    const isLive = this.#family.merge.startsWith('live');
    return given
      .filter(({ writer }) => writer.live || !isLive)
      .map((source) => ({
        source,
        live: source.writer.live,
        version: source.labels.version,
        rows: source.labels.view(),
        values: source.values(),
        created: source.created?.(),
      }));
  }

  *#merging(taken: readonly Taken[]): Generator<void, FamilySnapshot> {
    const family = this.#family;
    yield* this.#place(taken);
    const values = new Float64Array(this.#labels.size * family.cells);
    const live = new Uint8Array(this.#labels.size);
    let created: Float64Array | undefined;
    for (const [i, { rows }] of this.#placements.entries()) {
      const { live: isLive, values: from, created: since } = taken[i]!;
      if (since !== undefined) created ??= new Float64Array(this.#labels.size);
      for (let row = 0; row < rows.length; row++) {
        if (row % ROWS_AT_ONCE === 0) yield;
        const to = rows[row]!;
        if (to === REMOVED) continue;
        if (isLive) live[to] = 1;
        if (since !== undefined) created![to] = older(created![to]!, since[row]!);
        accumulate(family, values, to * family.cells, from, row * family.cells, isLive);
      }
    }
    const rows = this.#labels.view();
    if (isPerWriter(family.merge)) return { family, rows: touchedOnly(rows, values, family), values };
    if (family.merge === 'each') return { family, rows, values, live };
    return created === undefined ? { family, rows, values } : { family, rows, values, created };
  }

  /** Brings the remembered places up to date; starts anew when a source went or removed a row. */
  *#place(taken: readonly Taken[]): Generator<void, void> {
    const stale = this.#placements.some(
      ({ source, version }, i) => taken[i]?.source !== source || taken[i].version !== version,
    );
    if (stale) {
      this.#labels = new LabelColumn();
      this.#rowOf = new Map();
      this.#placements = [];
    }
    for (const { source, version } of taken.slice(this.#placements.length)) {
      this.#placements.push({ source, version, rows: [] });
    }
    for (const [i, { rows }] of this.#placements.entries()) {
      const { rows: labels, source } = taken[i]!;
      for (let row = rows.length; row < labels.size; row++) {
        if (row % ROWS_AT_ONCE === 0) yield;
        rows.push(this.#placeRow(labels, source.writer, row));
      }
    }
  }

  #placeRow(labels: LabelRows, writer: Writer, row: number): number {
    if (labels.lengths[row] === REMOVED) return REMOVED;
    const text = rowText(labels, row);
    if (this.#family.merge === 'each') return this.#labels.add(text);
    const merged = isPerWriter(this.#family.merge) ? withPid(text, writer) : text;
    const known = this.#rowOf.get(merged);
    if (known !== undefined) return known;
    const placed = this.#labels.add(merged);
    this.#rowOf.set(merged, placed);
    return placed;
  }
}

/** The snapshots of merges that have begun, in order. */
export async function finishAll(begun: readonly BegunMerge[]): Promise<FamilySnapshot[]> {
  const slice = new TimeSlice();
  const snapshots: FamilySnapshot[] = [];
  for (const finish of begun) snapshots.push(await finish(slice));
  return snapshots;
}

/** Whether every writer has a series of its own, told by a `pid` label. */
function isPerWriter(merge: MergeRule): boolean {
  return merge === 'all' || merge === 'liveall';
}

function withPid(text: string, writer: Writer): string {
  return `${text}${text === '' ? '' : ','}pid="${escapeLabelValue(writer.id)}"`;
}

/** Without the rows that their writer never touched. */
function touchedOnly(rows: LabelRows, values: Float64Array, { cells }: FamilyDescriptor): LabelRows {
  const lengths = rows.lengths.slice(0, rows.size);
  for (let row = 0; row < rows.size; row++) if (values[row * cells + TOUCHED] === 0) lengths[row] = REMOVED;
  return { ...rows, lengths };
}
