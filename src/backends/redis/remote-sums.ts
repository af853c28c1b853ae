/** Reading sums: the rows are remembered, so that a scrape is a few blocks of numbers as long as no series comes or goes. */
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn, type LabelRows } from '../../model/label-column.js';
import { labelText } from '../../model/labels.js';
import { TimeSlice } from '../../system/time-slice.js';
import { decodeBlocks, rowsOfBlock } from './blocks.js';
import { type Connection, Script } from './connection.js';
import { HEAD, parseTexts, ROW_FIELD } from './fields.js';
import { READ } from './sum-scripts.js';

const readScript = new Script(READ);

/** More rows than any family has, and few enough to hold: what somebody else has written is no reason to fail. */
const MOST_ROWS = 1e8;

/** Series that come between the look at the rows and that at the blocks have both looked at again. */
const MOST_TRIES = 20;

/** Rows between two looks at the clock. */
const ROWS_AT_ONCE = 256;

/** Labels that no row has. */
const REMADE = '';

/** What is remembered of a hash. */
interface Known {
  readonly identity: string;
  readonly version: string;
  readonly rows: LabelRows;
}

type Blocks = readonly (Buffer | null)[];

/** One family, read again and again. */
export class RemoteSums {
  readonly family: FamilyDescriptor;
  /** How often producers have come, as of the last snapshot. */
  arrivals = 0;
  #known: Known | undefined;
  #column = new LabelColumn();
  /** The labels of the column's rows, as JSON. */
  #labels: (string | undefined)[] = [];
  /** The last read: what is remembered is for one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(family: FamilyDescriptor) {
    this.family = family;
  }

  /**
   * Undefined when there is no such hash.
   *
   * @throws Error when series come and go faster than they are read
   */
  read(connection: Connection, key: string): Promise<FamilySnapshot | undefined> {
    const read = this.#last.then(() => this.#read(connection, key));
    this.#last = read.catch(() => {});
    return read;
  }

  async #read(connection: Connection, key: string): Promise<FamilySnapshot | undefined> {
    const { family } = this;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const blocks = await this.#readBlocks(connection, key);
      if (blocks !== undefined) {
        const { rows, identity } = this.#known!;
        const values = decodeBlocks(family.cells, blocks, rows.size);
        // The identity of a hash is the time at which it was made: nothing in it was counted before.
        const created = new Float64Array(rows.size).fill(Number(identity));
        return { family, rows, values, created };
      }
      if (!(await this.#readRows(connection, key))) return undefined;
    }
    throw new Error(`The series of the metric '${family.name}' come and go faster than they are read`);
  }

  /** Undefined when what is remembered is not true any more. */
  async #readBlocks(connection: Connection, key: string): Promise<Blocks | undefined> {
    if (this.#known === undefined) return undefined;
    const { identity, version, rows } = this.#known;
    const ask = [identity, version, Math.ceil(rows.size / rowsOfBlock(this.family.cells))];
    const [arrivals, ...blocks] = (await connection.runForBytes(readScript, key, ask)) as (Buffer | null)[];
    if (arrivals === undefined) return undefined;
    this.arrivals = Number(arrivals);
    return blocks;
  }

  /**
   * Resolves with whether there is such a hash. As text, which is read faster than bytes: the blocks are not. Labels take
   * their time, so the event loop has its turns.
   */
  async #readRows(connection: Connection, key: string): Promise<boolean> {
    const hash = (await connection.call('HGETALL', key)) as string[];
    const slice = new TimeSlice();
    const heads = new Map<string, string>();
    const labels: [row: number, labels: string][] = [];
    for (let i = 0; i < hash.length; i += 2) {
      const name = hash[i]!;
      // Somebody else's field takes nobody's row.
      if (name.startsWith(`${ROW_FIELD}[`)) labels.push([Number(hash[i + 1]), name.slice(ROW_FIELD.length)]);
      else if (name.length === 1) heads.set(name, hash[i + 1]!);
      if (i % ROWS_AT_ONCE === 0 && slice.isOver()) await slice.next();
    }
    this.#known = {
      identity: heads.get(HEAD.identity) ?? '',
      version: heads.get(HEAD.version) ?? '',
      rows: await this.#rowsOf(labels, Math.min(Number(heads.get(HEAD.rows) ?? 0), MOST_ROWS), slice),
    };
    return hash.length > 0;
  }

  /** Rows that are as they were are not looked at again: mostly some have come, and they are the last ones. */
  async #rowsOf(
    given: readonly [row: number, labels: string][],
    size: number,
    slice: TimeSlice,
  ): Promise<LabelRows> {
    const labels = new Array<string | undefined>(size);
    for (const [row, json] of given) if (row < size) labels[row] = json;
    const before = this.#labels;
    if (before.some((json, row) => json !== labels[row])) {
      this.#column = new LabelColumn();
      before.length = 0;
    }
    const absent: number[] = [];
    for (let row = before.length; row < size; row++) {
      const text = this.#textOf(labels[row]);
      this.#column.add(text ?? '');
      if (text === undefined) absent.push(row);
      before.push(labels[row]);
      if (row % ROWS_AT_ONCE === 0 && slice.isOver()) await slice.next();
    }
    for (const row of absent) this.#column.remove(row);
    // A row that was removed would be used again by the next one: the column is made anew then.
    if (absent.length > 0) this.#labels = [REMADE];
    return this.#column.view();
  }

  /** Undefined for a row that is free, and for what somebody else has written. */
  #textOf(json: string | undefined): string | undefined {
    const { labelNames } = this.family;
    const labels = json === undefined ? undefined : parseTexts(json);
    return labels?.length === labelNames.length ? labelText(labelNames, labels) : undefined;
  }
}
