/** Exemplars of the cells that a backend handed out: kept beside the cells, joined to snapshots by label values. */
import { type Exemplar, type FamilyDescriptor, type FamilySnapshot, familyKey } from '../model/family.js';
import { type LabelRows, REMOVED, rowText } from '../model/label-column.js';
import { TimeSlice } from '../system/time-slice.js';
import type { Cells } from './backend.js';

/** The exemplars of a series by cell, with holes. */
export type CellExemplars = readonly (Exemplar | undefined)[];

interface ExemplarSeries {
  readonly family: ExemplarFamily;
  /** Its label text, as in a `LabelColumn`. */
  readonly text: string;
  readonly exemplars: (Exemplar | undefined)[];
}

/** The newest exemplar of each cell of the family's series, by timestamp. */
export class ExemplarTable {
  /** By page, then by the offset of the series' first cell. */
  readonly #pages = new Map<Float64Array, Map<number, ExemplarSeries>>();
  readonly #families = new Map<string, ExemplarFamily>();
  readonly #keys = new WeakMap<FamilyDescriptor, string>();

  /**
   * Keeps an exemplar of one cell, unless a newer one is known.
   *
   * @param textOf - returns the label text of the series; undefined for cells of another backend, which are ignored
   */
  put(
    family: FamilyDescriptor,
    cells: Cells,
    cell: number,
    exemplar: Exemplar,
    textOf: (cells: Cells) => string | undefined,
  ): void {
    const series = this.#pages.get(cells.page)?.get(cells.offset) ?? this.#add(family, cells, textOf(cells));
    if (series !== undefined) keepNewest(series.exemplars, cell, exemplar);
  }

  /** Returns the exemplars of a series; undefined when it has none. */
  of({ page, offset }: Cells): CellExemplars | undefined {
    return this.#pages.get(page)?.get(offset)?.exemplars;
  }

  /** Drops the exemplars of a series whose cells are released. */
  release({ page, offset }: Cells): void {
    const onPage = this.#pages.get(page);
    const series = onPage?.get(offset);
    if (onPage === undefined || series === undefined) return;
    onPage.delete(offset);
    if (onPage.size === 0) this.#pages.delete(page);
    series.family.delete(series);
    if (series.family.isEmpty) this.#families.delete(series.family.key);
  }

  /** Returns the snapshots with the exemplars of their rows. Never holds the event loop for long. */
  async addTo(snapshots: FamilySnapshot[]): Promise<FamilySnapshot[]> {
    if (this.#families.size === 0) return snapshots;
    const slice = new TimeSlice();
    const joined: FamilySnapshot[] = [];
    for (const snapshot of snapshots) {
      const family = this.#families.get(this.#keyOf(snapshot.family));
      joined.push(family === undefined ? snapshot : await family.addTo(snapshot, slice));
    }
    return joined;
  }

  #add(
    descriptor: FamilyDescriptor,
    { page, offset }: Cells,
    text: string | undefined,
  ): ExemplarSeries | undefined {
    if (text === undefined) return undefined;
    const key = this.#keyOf(descriptor);
    const family = this.#families.get(key) ?? new ExemplarFamily(key);
    this.#families.set(key, family);
    const series = { family, text, exemplars: [] };
    family.add(series);
    const onPage = this.#pages.get(page) ?? new Map<number, ExemplarSeries>();
    this.#pages.set(page, onPage.set(offset, series));
    return series;
  }

  #keyOf(family: FamilyDescriptor): string {
    let key = this.#keys.get(family);
    if (key === undefined) {
      key = familyKey(family);
      this.#keys.set(family, key);
    }
    return key;
  }
}

/** A row of a snapshot and the series that it shows: one for each writer of this process. */
interface ExemplarRow {
  readonly row: number;
  readonly text: string;
  readonly exemplars: readonly CellExemplars[];
}

/** The series of one family that have exemplars. */
class ExemplarFamily {
  readonly key: string;
  readonly #series = new Set<ExemplarSeries>();
  /** The rows of the last snapshot, ascending; undefined when they have to be looked for. */
  #placed: readonly ExemplarRow[] | undefined;
  /** Number of changes to the set of series. */
  #version = 0;

  constructor(key: string) {
    this.key = key;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  add(series: ExemplarSeries): void {
    this.#series.add(series);
    this.#version += 1;
    this.#placed = undefined;
  }

  delete(series: ExemplarSeries): void {
    this.#series.delete(series);
    this.#version += 1;
    this.#placed = undefined;
  }

  async addTo(snapshot: FamilySnapshot, slice: TimeSlice): Promise<FamilySnapshot> {
    const { family, rows } = snapshot;
    const exemplars = new Map<number, Exemplar>();
    for (const placed of (await this.#stillPlaced(rows, slice)) ?? (await this.#place(rows, slice))) {
      const newest: (Exemplar | undefined)[] = [];
      for (const ofWriter of placed.exemplars) {
        ofWriter.forEach((exemplar, cell) => {
          if (exemplar !== undefined) keepNewest(newest, cell, exemplar);
        });
      }
      newest.forEach((exemplar, cell) => {
        if (exemplar !== undefined) exemplars.set(placed.row * family.cells + cell, exemplar);
      });
      if (slice.isOverAfterStep()) await slice.next();
    }
    return exemplars.size === 0 ? snapshot : { ...snapshot, exemplars };
  }

  /** Returns the rows of the last snapshot if they are the same in this one. */
  async #stillPlaced(rows: LabelRows, slice: TimeSlice): Promise<readonly ExemplarRow[] | undefined> {
    const placed = this.#placed;
    for (const { row, text } of placed ?? []) {
      if (row >= rows.size || rows.lengths[row] === REMOVED || rowText(rows, row) !== text) return undefined;
      if (slice.isOverAfterStep()) await slice.next();
    }
    return placed;
  }

  /** Finds the rows of the series, and remembers them when every series has one. */
  async #place(rows: LabelRows, slice: TimeSlice): Promise<readonly ExemplarRow[]> {
    const version = this.#version;
    const byText = new Map<string, CellExemplars[]>();
    for (const { text, exemplars } of this.#series) {
      const known = byText.get(text);
      if (known === undefined) byText.set(text, [exemplars]);
      else known.push(exemplars);
      if (slice.isOverAfterStep()) await slice.next();
    }
    const placed: ExemplarRow[] = [];
    for (let row = 0; row < rows.size; row++) {
      if (slice.isOverAfterStep()) await slice.next();
      if (rows.lengths[row] === REMOVED) continue;
      const text = rowText(rows, row);
      const exemplars = byText.get(text);
      if (exemplars === undefined) continue;
      placed.push({ row, text, exemplars });
      byText.delete(text);
    }
    if (byText.size === 0 && version === this.#version) this.#placed = placed;
    return placed;
  }
}

function keepNewest(known: (Exemplar | undefined)[], cell: number, exemplar: Exemplar): void {
  if ((exemplar.timestamp ?? 0) >= (known[cell]?.timestamp ?? 0)) known[cell] = exemplar;
}
