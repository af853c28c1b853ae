/**
 * A backend of one's own: numbers in private memory, and in a JSON file from which the next start goes on.
 * `await loadBackend(JsonFileBackend, { file: 'metrics.json' })`; one process has the file for itself.
 *
 * Counters, histograms and summaries go on after a restart; gauges tell of this moment and start anew.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { type FamilyDescriptor, type FamilySnapshot, type Labels, seriesOf } from 'metheus';
import {
  type Backend,
  type CellRequest,
  type Cells,
  familyKey,
  LabelColumn,
  labelText,
  Merger,
  type MergeSource,
  type SnapshotRequest,
  type Writer,
} from 'metheus/backends';

export interface JsonFileConfig {
  readonly file: string;
  /** How often the numbers are written, in milliseconds. A crash loses what was counted since. */
  readonly interval?: number;
}

/** A family in the file. Values are text, since JSON has no word for the infinities. */
type Saved = [family: FamilyDescriptor, series: [labels: string[], values: string[]][]];

const SELF: Writer = { id: String(process.pid), live: true };
/** Everything that was counted before this start, as if somebody else had. */
const EARLIER: Writer = { id: 'earlier', live: false };

/** The series of one writer in one family. A page for each: pages never move, so cells stay valid. */
class Table implements MergeSource {
  readonly labels = new LabelColumn();
  readonly #pages: Float64Array[] = [];

  constructor(
    readonly family: FamilyDescriptor,
    readonly writer: Writer,
  ) {}

  reserve(labels: readonly string[]): Cells {
    const page = new Float64Array(this.family.cells);
    this.#pages[this.labels.add(labelText(this.family.labelNames, labels))] = page;
    return { page, offset: 0 };
  }

  /** Takes cells back, if they were handed out here. */
  release({ page }: Cells): boolean {
    const row = this.#pages.indexOf(page);
    if (row >= 0) this.labels.remove(row);
    return row >= 0;
  }

  values(): Float64Array {
    const values = new Float64Array(this.labels.size * this.family.cells);
    for (const [row, page] of this.#pages.entries()) values.set(page, row * this.family.cells);
    return values;
  }
}

/** Everybody who counts in a family: families of equal keys are one. */
interface Family {
  readonly family: FamilyDescriptor;
  readonly merger: Merger;
  tables: Table[];
}

export class JsonFileBackend implements Backend {
  readonly config: Readonly<Required<JsonFileConfig>> & Readonly<Record<string, unknown>>;
  readonly #families = new Map<string, Family>();
  readonly #timer: NodeJS.Timeout;
  #written: Promise<void> = Promise.resolve();

  constructor({ file, interval = 10_000 }: JsonFileConfig = { file: 'metrics.json' }) {
    this.config = Object.freeze({ file, interval });
    this.#timer = setInterval(() => this.flush(), interval).unref();
  }

  /** A file that cannot be read is no reason to start from zero: `loadBackend` rejects, and nothing changes. */
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
    const known = this.#familyOf(family);
    known.tables.find((table) => table.release(cells));
    // A writer without series may be gone for ever. If not, it gets a new table.
    known.tables = known.tables.filter(({ labels }) => labels.count > 0);
  }

  snapshot({ families, scopes }: SnapshotRequest): FamilySnapshot[] {
    const wanted = new Set(families.map((family) => this.#familyOf(family)));
    const isAsked = ({ family, tables }: Family) =>
      scopes.includes(family.scope) && tables.some(({ writer }) => writer !== SELF);
    const others = [...this.#families.values()].filter((known) => !wanted.has(known) && isAsked(known));
    const merge = ({ merger, tables }: Family) => merger.merge(tables);
    const asWanted = (family: FamilyDescriptor) => ({ ...merge(this.#familyOf(family)), family });
    return [...families.map(asWanted), ...others.map(merge)];
  }

  /** Trouble with the file must not reach the application: it becomes a warning, and counting goes on. */
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

  /** First beside the file and then in its place, so that a crash never leaves half of one. */
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
