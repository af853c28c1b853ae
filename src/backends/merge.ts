/** Merging the rows of several writers of one family into one snapshot. */
import { warnOnce } from '../errors.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { LabelColumn, type LabelRows, REMOVED, rowText } from '../model/label-column.js';
import { escapeLabelValue } from '../model/labels.js';
import { type MergeRule, TOUCHED } from '../model/metric-types.js';
import { runAtOnce, runInSlices, TimeSlice } from '../system/time-slice.js';
import type { Backend, Cells, Writer } from './backend.js';

/** The rows of one writer of a family. */
export interface MergeSource {
  readonly writer: Writer;
  /** Labels of the rows. Rows may be added or removed later. */
  readonly labels: LabelColumn;
  /** Returns the numbers of all rows as they are now. */
  values(): Float64Array;
  /** Returns the Unix seconds at which each row began to count, undefined if not known. */
  created?(): Float64Array | undefined;
}

/**
 * Adds one writer's cells to a merged row, as the family's merge rule says.
 *
 * A gauge that was never touched is left out: otherwise `min` would give its initial 0.
 */
export function accumulate(
  { name, merge, cells }: FamilyDescriptor,
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
  if (merge === 'shared' && before !== 0 && wasSet(before) !== wasSet(at)) {
    if (wasSet(at) ? into[to] !== 0 : live && value !== 0) warnOfIncrements(name);
  }
  into[to] = before === 0 ? onlyOf(merge, value, at, live) : both(merge, into[to]!, before, value, at, live);
  into[to + TOUCHED] = Math.max(before, at);
}

/** Seconds by which the clock of a writer may be ahead of the clock of this process. */
const MAX_AHEAD = 1;
/** Greatest future time whose order among other future times is kept. */
const MAX_TIME = 1e12;

/**
 * Moves times that are in the future into the distant past, in their order. A clock that was wrong when a gauge was set
 * would otherwise hide every later `set` of other writers until that time has come.
 *
 * @param values - cells of whole series; changed in place
 * @param now - Unix seconds
 */
export function moveFutureTimes(
  { merge, cells, bounds }: FamilyDescriptor,
  values: Float64Array,
  now = Date.now() / 1000,
): Float64Array {
  if (merge === 'newest') {
    // The times are numbers of periods, whose length is the first bound. A writer may already be in the next period.
    const [length = 1] = bounds;
    const latest = Math.floor(now / length) + 1;
    for (let at = 0; at < values.length; at += cells) if (!(values[at]! <= latest)) values[at] = 0;
  } else if (merge !== 'add' && merge !== 'each') {
    for (let at = TOUCHED; at < values.length; at += cells) {
      const time = values[at]!;
      if (!(time <= now + MAX_AHEAD)) values[at] = SET_LONG_AGO + (Math.min(time, MAX_TIME) || 0) / MAX_TIME;
    }
  }
  return values;
}

/** Adds the numbers and exemplars of a series to those of another, which may be in another backend. */
export function addSeries(
  family: FamilyDescriptor,
  from: Backend,
  old: Cells,
  to: Backend,
  cells: Cells,
  live: boolean,
): void {
  accumulate(family, cells.page, cells.offset, old.page, old.offset, live);
  from.exemplarsOf?.(family, old)?.forEach((exemplar, cell) => {
    if (exemplar !== undefined) to.putExemplar?.(family, cells, cell, exemplar);
  });
}

/** Returns the earlier of two times; 0 stands for an unknown one. */
export function earlierTime(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}

/** Reports whether a gauge was set, not only incremented: see {@link TOUCHED}. */
const wasSet = (at: number) => at > 1;
/** A time before that of every real `set`. */
const SET_LONG_AGO = 2;

/** Warns that the increments of one writer are not served, since another one has called `set`. */
function warnOfIncrements(name: string): void {
  warnOnce(
    `increments of ${name}`,
    `The gauge '${name}' was set in one thread or process and incremented in another, which cannot be combined: ` +
      `the last set() is served, and the increments are not. Choose a multiprocessMode: 'livesum' adds up the values of ` +
      `all writers, 'livemostrecent' serves the value of the last set(), and 'liveall' serves each value.`,
  );
}

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
      // Increments of live writers add up as long as none has called `set`. From then on, the latest `set` wins.
      if (!wasSet(aAt) && !wasSet(bAt)) return live ? a + b : a;
      return bAt >= aAt ? b : a;
    default:
      return bAt >= aAt ? b : a;
  }
}

/** A copy of a source's rows and numbers, which never changes. */
interface SourceCopy {
  readonly source: MergeSource;
  readonly live: boolean;
  readonly version: number;
  readonly rows: LabelRows;
  readonly values: Float64Array;
  readonly created: Float64Array | undefined;
}

/** The merged rows of a source: its row `i` is added to merged row `rows[i]`. */
interface Placement {
  readonly source: MergeSource;
  readonly version: number;
  readonly rows: number[];
}

/** Finishes a merge for which the numbers of all sources have been copied already. */
export type BegunMerge = (slice: TimeSlice) => Promise<FamilySnapshot>;

/** Number of rows that are merged between two readings of the clock. */
const ROWS_AT_ONCE = 1024;

/**
 * Merges one family again and again. Remembers the merged row that each row of a source is added to, so that later
 * merges only have to add numbers.
 */
export class Merger {
  readonly #family: FamilyDescriptor;
  #labels = new LabelColumn();
  #rowOf = new Map<string, number>();
  #placements: Placement[] = [];
  /** Number of unfinished merges. They run one after another, since they share the remembered rows. */
  #running = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(family: FamilyDescriptor) {
    this.#family = family;
  }

  merge(sources: readonly MergeSource[]): FamilySnapshot {
    if (this.#running > 0) return new Merger(this.#family).merge(sources);
    return runAtOnce(this.#merging(this.#copy(sources)));
  }

  /** Copies the numbers of all sources now, and returns the rest of the merge, which runs in time slices. */
  begin(sources: readonly MergeSource[]): BegunMerge {
    const copies = this.#copy(sources);
    return async (slice) => {
      this.#running += 1;
      const merged = this.#last.then(() => runInSlices(this.#merging(copies), slice));
      this.#last = merged.catch(() => {});
      return merged.finally(() => {
        this.#running -= 1;
      });
    };
  }

  #copy(given: readonly MergeSource[]): SourceCopy[] {
    const isLive = this.#family.merge.startsWith('live');
    return given
      .filter(({ writer }) => writer.live || !isLive)
      .map((source) => ({
        source,
        live: source.writer.live,
        version: source.labels.version,
        rows: source.labels.view(),
        values: moveFutureTimes(this.#family, source.values()),
        created: source.created?.(),
      }));
  }

  *#merging(copies: readonly SourceCopy[]): Generator<void, FamilySnapshot> {
    const family = this.#family;
    yield* this.#place(copies);
    const values = new Float64Array(this.#labels.size * family.cells);
    const live = new Uint8Array(this.#labels.size);
    let created: Float64Array | undefined;
    for (const [i, { rows }] of this.#placements.entries()) {
      const { live: isLive, values: from, created: since } = copies[i]!;
      if (since !== undefined) created ??= new Float64Array(this.#labels.size);
      for (let row = 0; row < rows.length; row++) {
        if (row % ROWS_AT_ONCE === 0) yield;
        const to = rows[row]!;
        if (to === REMOVED) continue;
        if (isLive) live[to] = 1;
        if (since !== undefined) created![to] = earlierTime(created![to]!, since[row]!);
        accumulate(family, values, to * family.cells, from, row * family.cells, isLive);
      }
    }
    const rows = this.#labels.view();
    if (isPerWriter(family.merge)) return { family, rows: touchedOnly(rows, values, family), values };
    if (family.merge === 'each') return { family, rows, values, live };
    return created === undefined ? { family, rows, values } : { family, rows, values, created };
  }

  /** Assigns new rows of the sources to merged rows. Starts over if a source is gone or has removed a row. */
  *#place(copies: readonly SourceCopy[]): Generator<void, void> {
    const stale = this.#placements.some(
      ({ source, version }, i) => copies[i]?.source !== source || copies[i].version !== version,
    );
    if (stale) {
      this.#labels = new LabelColumn();
      this.#rowOf = new Map();
      this.#placements = [];
    }
    for (const { source, version } of copies.slice(this.#placements.length)) {
      this.#placements.push({ source, version, rows: [] });
    }
    for (const [i, { rows }] of this.#placements.entries()) {
      const { rows: labels, source } = copies[i]!;
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

/** Finishes merges and returns all snapshots in the given order. Snapshots that need no merge are passed through. */
export async function finishAll(begun: readonly (BegunMerge | FamilySnapshot)[]): Promise<FamilySnapshot[]> {
  const slice = new TimeSlice();
  const snapshots: FamilySnapshot[] = [];
  for (const one of begun) snapshots.push(typeof one === 'function' ? await one(slice) : one);
  return snapshots;
}

/** Reports whether each writer has a series of its own, with a `pid` label. */
function isPerWriter(merge: MergeRule): boolean {
  return merge === 'all' || merge === 'liveall';
}

function withPid(text: string, writer: Writer): string {
  return `${text}${text === '' ? '' : ','}pid="${escapeLabelValue(writer.id)}"`;
}

/** Returns the rows, with those marked as removed whose gauge was never touched. */
function touchedOnly(rows: LabelRows, values: Float64Array, { cells }: FamilyDescriptor): LabelRows {
  const lengths = rows.lengths.slice(0, rows.size);
  for (let row = 0; row < rows.size; row++) if (values[row * cells + TOUCHED] === 0) lengths[row] = REMOVED;
  return { ...rows, lengths };
}
