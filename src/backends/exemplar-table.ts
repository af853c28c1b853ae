/** Exemplars of the cells that a backend handed out. Snapshots find the exemplars of a row by its label text. */
import { type Exemplar, type FamilyDescriptor, type FamilySnapshot, familyKey } from '../model/family.js';
import { type LabelRows, REMOVED, rowText } from '../model/label-column.js';
import { findOrCreate } from '../system/find-or-create.js';
import { TimeSlice } from '../system/time-slice.js';
import type { Cells } from './backend.js';

/** The exemplars of a series by cell; a cell without an exemplar is a hole in the array. */
export type CellExemplars = readonly (Exemplar | undefined)[];

interface ExemplarSeries {
  readonly family: ExemplarFamily;
  /** Label text of the series, as in a `LabelColumn`. */
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
    if (series === undefined) return;
    const known = series.exemplars[cell];
    if (known === undefined || isAsNew(exemplar, known)) series.exemplars[cell] = exemplar;
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

  /** Returns the snapshots with the exemplars of their rows. Works in time slices. */
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

  #add(descriptor: FamilyDescriptor, { page, offset }: Cells, text?: string): ExemplarSeries | undefined {
    if (text === undefined) return undefined;
    const key = this.#keyOf(descriptor);
    const family = findOrCreate(this.#families, key, () => new ExemplarFamily(key));
    const series = { family, text, exemplars: [] };
    family.add(series);
    findOrCreate(this.#pages, page, () => new Map()).set(offset, series);
    return series;
  }

  #keyOf(family: FamilyDescriptor): string {
    return findOrCreate(this.#keys, family, () => familyKey(family));
  }
}

/**
 * The rows of a snapshot that have exemplars. Later snapshots with the same `starts` and size have the same rows, as
 * long as the family has this version.
 */
interface ExemplarRows {
  readonly version: number;
  readonly starts: LabelRows['starts'];
  readonly size: number;
  readonly rows: readonly { readonly row: number; readonly series: Iterable<ExemplarSeries> }[];
}

/** The series of one family that have exemplars. */
class ExemplarFamily {
  readonly key: string;
  /** By label text. A set has one series for each writer in this process. */
  readonly #series = new Map<string, Set<ExemplarSeries>>();
  /** Number of times that a series was added or deleted. */
  #version = 0;
  #last: ExemplarRows | undefined;

  constructor(key: string) {
    this.key = key;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  add(series: ExemplarSeries): void {
    this.#version += 1;
    findOrCreate(this.#series, series.text, () => new Set()).add(series);
  }

  delete(series: ExemplarSeries): void {
    this.#version += 1;
    const ofText = this.#series.get(series.text)!;
    ofText.delete(series);
    if (ofText.size === 0) this.#series.delete(series.text);
  }

  async addTo(snapshot: FamilySnapshot, slice: TimeSlice): Promise<FamilySnapshot> {
    const exemplars = new Map(snapshot.exemplars);
    for (const { row, series } of await this.#rowsIn(snapshot.rows, slice)) {
      for (const ofWriter of series) {
        ofWriter.exemplars.forEach((exemplar, cell) => {
          const index = row * snapshot.family.cells + cell;
          const known = exemplars.get(index);
          if (exemplar !== undefined && (known === undefined || isAsNew(exemplar, known)))
            exemplars.set(index, exemplar);
        });
      }
      if (slice.isOverAfterStep()) await slice.next();
    }
    return exemplars.size === 0 ? snapshot : { ...snapshot, exemplars };
  }

  async #rowsIn(labels: LabelRows, slice: TimeSlice): Promise<ExemplarRows['rows']> {
    const version = this.#version;
    const { starts, size } = labels;
    const last = this.#last;
    if (last?.version === version && last.starts === starts && last.size === size) return last.rows;
    const rows = [];
    for (let row = 0; row < size; row++) {
      if (slice.isOverAfterStep()) await slice.next();
      if (labels.lengths[row] === REMOVED) continue;
      const series = this.#series.get(rowText(labels, row));
      if (series !== undefined) rows.push({ row, series });
    }
    this.#last = { version, starts, size, rows };
    return rows;
  }
}

function isAsNew({ timestamp = 0 }: Exemplar, known: Exemplar): boolean {
  return timestamp >= (known.timestamp ?? 0);
}
