/** Reading sums: the rows are remembered, so that a scrape is a few blocks of numbers as long as no series comes or goes. */
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn, type LabelRows } from '../../model/label-column.js';
import { labelText } from '../../model/labels.js';
import { decodeBlocks, rowsOfBlock } from './blocks.js';
import { type Connection, Script } from './connection.js';
import { BLOCK_FIELD, HEAD, parseTexts, ROW_FIELD } from './fields.js';
import { READ } from './sum-scripts.js';

const readScript = new Script(READ);

/** More rows than any family has, and few enough to hold: what somebody else has written is no reason to fail. */
const MOST_ROWS = 1e8;

/** What is remembered of a hash. */
interface Known {
  readonly identity: Buffer;
  readonly version: Buffer;
  readonly rows: LabelRows;
}

type Blocks = readonly (Buffer | null)[];

/** One family, read again and again. */
export class RemoteSums {
  readonly family: FamilyDescriptor;
  /** How often producers have come, as of the last snapshot. */
  arrivals = 0;
  #known: Known | undefined;

  constructor(family: FamilyDescriptor) {
    this.family = family;
  }

  /** Undefined when there is no such hash. */
  async read(connection: Connection, key: string): Promise<FamilySnapshot | undefined> {
    const blocks = (await this.#readBlocks(connection, key)) ?? (await this.#readAll(connection, key));
    if (blocks === undefined) return undefined;
    const { family } = this;
    const rows = this.#known!.rows;
    return { family, rows, values: decodeBlocks(family.cells, blocks, rows.size) };
  }

  /** Undefined when what is remembered is not true any more. */
  async #readBlocks(connection: Connection, key: string): Promise<Blocks | undefined> {
    if (this.#known === undefined) return undefined;
    const { identity, version, rows } = this.#known;
    const ask = [identity, version, this.#blocksOf(rows.size)];
    const [arrivals, ...blocks] = (await connection.runForBytes(readScript, key, ask)) as (Buffer | null)[];
    if (arrivals === undefined) return undefined;
    this.arrivals = Number(arrivals);
    return blocks;
  }

  async #readAll(connection: Connection, key: string): Promise<Blocks | undefined> {
    const hash = (await connection.callForBytes('HGETALL', key)) as Buffer[];
    this.#known = undefined;
    if (hash.length === 0) return undefined;
    const heads = new Map<string, Buffer>();
    const blocks: (Buffer | null)[] = [];
    const labels: [row: number, labels: string][] = [];
    for (let i = 0; i < hash.length; i += 2) {
      const value = hash[i + 1]!;
      const name = hash[i]!.toString('latin1', 0, 2);
      if (name === ROW_FIELD) labels.push([Number(value), hash[i]!.toString('utf8', 2)]);
      else if (name === BLOCK_FIELD) blocks[Number(hash[i]!.toString('latin1', 2))] = value;
      else if (name.length === 1) heads.set(name, value);
    }
    const size = Math.min(Number(heads.get(HEAD.rows) ?? 0), MOST_ROWS);
    this.arrivals = Number(heads.get(HEAD.arrivals) ?? 0);
    this.#known = {
      identity: heads.get(HEAD.identity) ?? Buffer.alloc(0),
      version: heads.get(HEAD.version) ?? Buffer.alloc(0),
      rows: this.#rowsOf(labels, size),
    };
    return Array.from({ length: this.#blocksOf(size) }, (_, number) => blocks[number] ?? null);
  }

  #rowsOf(given: readonly [row: number, labels: string][], size: number): LabelRows {
    const { labelNames } = this.family;
    const texts = new Array<string | undefined>(size);
    for (const [row, json] of given) {
      const labels = parseTexts(json);
      if (labels?.length === labelNames.length && row < size) texts[row] = labelText(labelNames, labels);
    }
    const column = new LabelColumn();
    for (let row = 0; row < size; row++) column.add(texts[row] ?? '');
    for (let row = 0; row < size; row++) if (texts[row] === undefined) column.remove(row);
    return column.view();
  }

  #blocksOf(rows: number): number {
    return Math.ceil(rows / rowsOfBlock(this.family.cells));
  }
}
