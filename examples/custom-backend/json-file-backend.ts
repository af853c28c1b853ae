/**
 * A custom backend: keeps numbers in private memory and in a JSON file, which the next start reads.
 * `await loadBackend(JsonFileBackend, { file: 'metrics.json' })`. Processes do not share the file.
 *
 * Counters, histograms and summaries continue after a restart; gauges, which describe the moment, start anew.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { type Exemplar, type FamilyDescriptor, type FamilySnapshot, type Labels, seriesOf } from 'metheus';
import {
  type Backend,
  type CellRequest,
  type Cells,
  ExemplarTable,
  familyKey,
  LabelColumn,
  type LabelPattern,
  labelText,
  Merger,
  type MergeSource,
  rowText,
  type SnapshotRequest,
  type Writer,
} from 'metheus/backends';

export interface JsonFileConfig {
  readonly file: string;
  /** Time between writes, in milliseconds. A crash loses what was counted since the last one. */
  readonly interval?: number;
}

/** A family in the file. Values are text, since JSON cannot represent infinities. */
type Saved = [family: FamilyDescriptor, series: [labels: string[], values: string[]][]];

const SELF: Writer = { id: String(process.pid), live: true };
/** The writer of everything that was counted before this start. */
const EARLIER: Writer = { id: 'earlier', live: false };

/** The series of one writer in one family, each in a page of its own, so that cells never move. */
class Table implements MergeSource {
  readonly labels = new LabelColumn();
  readonly #pages: Float64Array[] = [];
  /** The label values of each row. */
  readonly #given: (readonly string[])[] = [];

  constructor(
    readonly family: FamilyDescriptor,
    readonly writer: Writer,
  ) {}

  reserve(labels: readonly string[]): Cells {
    const page = new Float64Array(this.family.cells);
    const row = this.labels.add(labelText(this.family.labelNames, labels));
    this.#pages[row] = page;
    this.#given[row] = labels;
    return { page, offset: 0 };
  }

  /** Takes cells back. Reports whether they were handed out here. */
  release({ page }: Cells): boolean {
    const row = this.#pages.indexOf(page);
    if (row >= 0) this.labels.remove(row);
    return row >= 0;
  }

  /** Removes the series that have these label values; `undefined` stands for any value. */
  remove(pattern: LabelPattern): void {
    for (const [row, given] of this.#given.entries()) {
      const isMatch = pattern.every((value, i) => value === undefined || value === given[i]);
      if (isMatch && this.labels.lengths[row]! >= 0) this.labels.remove(row);
    }
  }

  /** Returns the label text of a series; undefined for cells of another table. */
  textOf({ page }: Cells): string | undefined {
    const row = this.#pages.indexOf(page);
    return row >= 0 ? rowText(this.labels, row) : undefined;
  }

  values(): Float64Array {
    const values = new Float64Array(this.labels.size * this.family.cells);
    for (const [row, page] of this.#pages.entries()) values.set(page, row * this.family.cells);
    return values;
  }
}

/** All writers of a family. Families of equal keys are the same. */
interface Family {
  readonly family: FamilyDescriptor;
  readonly merger: Merger;
  tables: Table[];
}

export class JsonFileBackend implements Backend {
  readonly config: Readonly<Required<JsonFileConfig>> & Readonly<Record<string, unknown>>;
  readonly #families = new Map<string, Family>();
  readonly #timer: NodeJS.Timeout;
  readonly #exemplars = new ExemplarTable();
  #written: Promise<void> = Promise.resolve();

  constructor({ file, interval = 10_000 }: JsonFileConfig = { file: 'metrics.json' }) {
    this.config = Object.freeze({ file, interval });
    this.#timer = setInterval(() => this.flush(), interval).unref();
  }

  /** Rejects when the file exists but cannot be read, so that `loadBackend` changes nothing. */
  async open(): Promise<void> {
    const text = await readFile(this.config.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw error;
    });
    for (const [family, series] of JSON.parse(text) as Saved[]) {
      const table = this.#tableOf(family, EARLIER);
      for (const [labels, values] of series) table.reserve(labels).page.set(values.map(Number));
    }
  }

  reserve({ family, labels, writer = SELF }: CellRequest): Cells {
    return this.#tableOf(family, writer).reserve(labels);
  }

  release(family: FamilyDescriptor, cells: Cells): void {
    this.#exemplars.release(cells);
    const known = this.#familyOf(family);
    known.tables.find((table) => table.release(cells));
    // A writer without series may have ended. If not, it gets a new table.
    known.tables = known.tables.filter(({ labels }) => labels.count > 0);
  }

  removeEnded(family: FamilyDescriptor, pattern: LabelPattern): void {
    const { tables } = this.#familyOf(family);
    tables.find(({ writer }) => writer === EARLIER)?.remove(pattern);
  }

  putExemplar(family: FamilyDescriptor, cells: Cells, cell: number, exemplar: Exemplar): void {
    const { tables } = this.#familyOf(family);
    const textOf = () => tables.map((table) => table.textOf(cells)).find((text) => text !== undefined);
    this.#exemplars.put(family, cells, cell, exemplar, textOf);
  }

  exemplarsOf(_family: FamilyDescriptor, cells: Cells): readonly (Exemplar | undefined)[] | undefined {
    return this.#exemplars.of(cells);
  }

  async snapshot({ families, scopes }: SnapshotRequest): Promise<FamilySnapshot[]> {
    const wanted = new Set(families.map((family) => this.#familyOf(family)));
    const isWanted = ({ family, tables }: Family) =>
      scopes.includes(family.scope) && tables.some(({ writer }) => writer !== SELF);
    const others = [...this.#families.values()].filter((known) => !wanted.has(known) && isWanted(known));
    const merge = ({ merger, tables }: Family) => merger.merge(tables);
    const asWanted = (family: FamilyDescriptor) => ({ ...merge(this.#familyOf(family)), family });
    return this.#exemplars.addTo([...families.map(asWanted), ...others.map(merge)]);
  }

  /** Never rejects: a failure to write must not reach the application, so that it becomes a warning. */
  flush(): Promise<void> {
    this.#written = this.#written
      .then(() => this.#write())
      .catch((error: Error) => process.emitWarning(`Metrics were not written: ${error.message}`));
    return this.#written;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  /** Writes a new file and renames it, so that a crash never leaves a partial one. */
  async #write(): Promise<void> {
    const kept = [...this.#families.values()].filter(({ family }) => family.merge === 'add');
    const saved = kept.map(({ family, merger, tables }): Saved => {
      const series = [...seriesOf(merger.merge(tables))];
      const labelsOf = (labels: Labels) => family.labelNames.map((name) => String(labels[name]));
      return [family, series.map(({ labels, values }) => [labelsOf(labels), [...values].map(String)])];
    });
    await writeFile(`${this.config.file}.new`, JSON.stringify(saved));
    await rename(`${this.config.file}.new`, this.config.file);
  }

  #familyOf(family: FamilyDescriptor): Family {
    const key = familyKey(family);
    const known = this.#families.get(key) ?? { family, merger: new Merger(family), tables: [] };
    this.#families.set(key, known);
    return known;
  }

  #tableOf(family: FamilyDescriptor, writer: Writer): Table {
    const { tables } = this.#familyOf(family);
    if (!tables.some((table) => table.writer === writer)) tables.push(new Table(family, writer));
    return tables.find((table) => table.writer === writer)!;
  }
}
