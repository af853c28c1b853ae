/**
 * Reading counters, histograms and summaries. The reader remembers which series are in which row. A scrape then reads
 * only the blocks, which hold the numbers; the rows are read again after series have come or gone.
 */
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn, type LabelRows } from '../../model/label-column.js';
import { labelText } from '../../model/labels.js';
import type { TimeSlice } from '../../system/time-slice.js';
import { Script } from './connection.js';
import { ExemplarReader } from './exemplars.js';
import { HEAD, parseTexts, type RedisContext } from './family-hash.js';
import { ROW_FIELD, readFields } from './hash-scan.js';
import { decodeBlocks, rowsOfBlock } from './sum-blocks.js';

/** Maximum attempts to read while series come and go. */
const MAX_TRIES = 20;

/** Text that is never the labels of a row. As known labels, it makes the next read rebuild the column. */
const STALE = '';

/**
 * Returns the number of joins, the exemplars, and all blocks of a hash. KEYS: the hash. ARGV: the identity of the hash,
 * the latest generation of its blocks, and the number of blocks, all as of the reader's last read; seconds to live. The
 * reply is empty if series have been added or removed since that read, or if the hash has another identity.
 */
const READ = new Script(`
local head = redis.call('HMGET', KEYS[1], 't', 'v', 'm', 'e')
if (head[1] or '') ~= ARGV[1] or (head[2] or '') ~= ARGV[2] then return {} end
redis.pcall('EXPIRE', KEYS[1], ARGV[4])
local reply = { head[3] or '0', head[4] or '' }
for i = 0, ARGV[3] - 1, 1000 do
  local names = {}
  for number = i, math.min(i + 999, ARGV[3] - 1) do names[#names + 1] = 'b:' .. number end
  for _, bytes in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do reply[#reply + 1] = bytes end
end
return reply
`);

/** The state of a hash at the last read. */
interface KnownHash {
  readonly identity: string;
  readonly version: string;
  readonly rows: LabelRows;
}

export class SumReader {
  readonly family: FamilyDescriptor;
  /** The number of joins to the hash, by all producers, as of the last read. */
  joins = 0;
  readonly #context: RedisContext;
  readonly #key: string;
  #known: KnownHash | undefined;
  readonly #exemplars: ExemplarReader;
  #column = new LabelColumn();
  /** Label values of the column's rows, as JSON. */
  #labels: (string | undefined)[] = [];
  /** The previous read. Reads share state, so they run one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(family: FamilyDescriptor, context: RedisContext, key: string) {
    this.family = family;
    this.#context = context;
    this.#key = key;
    this.#exemplars = new ExemplarReader(family);
  }

  /**
   * Resolves with undefined when there is no hash.
   *
   * @throws Error when series come and go faster than they are read
   */
  read(slice: TimeSlice): Promise<FamilySnapshot | undefined> {
    const read = this.#last.then(() => this.#read(slice));
    this.#last = read.catch(() => {});
    return read;
  }

  async #read(slice: TimeSlice): Promise<FamilySnapshot | undefined> {
    const { family } = this;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const blocks = await this.#readBlocks();
      if (slice.isOver()) await slice.next();
      if (blocks !== undefined) {
        const { rows, identity } = this.#known!;
        const values = decodeBlocks(family.cells, blocks, rows.size);
        // The identity is the time at which the hash was made: nothing in it was counted earlier.
        const created = new Float64Array(rows.size).fill(Number(identity) || 0);
        return this.#exemplars.addTo({ family, rows, values, created });
      }
      if (!(await this.#readRows(slice))) return undefined;
    }
    throw new Error(`The series of the metric '${family.name}' come and go faster than they can be read`);
  }

  /** Resolves with undefined when the known rows are out of date. */
  async #readBlocks(): Promise<(Buffer | null)[] | undefined> {
    if (this.#known === undefined) return undefined;
    const { identity, version, rows } = this.#known;
    const { connection, settings } = this.#context;
    const count = Math.ceil(rows.size / rowsOfBlock(this.family.cells));
    const args = [identity, version, count, settings.expireKeyTime];
    const [joins, exemplars, ...blocks] = (await connection.runForBytes(
      READ,
      this.#key,
      args,
    )) as (Buffer | null)[];
    if (joins === undefined) return undefined;
    this.#exemplars.update(String(exemplars));
    this.joins = Number(joins);
    return blocks;
  }

  /** Reads which series there are. Resolves with whether there is a hash. */
  async #readRows(slice: TimeSlice): Promise<boolean> {
    // The reply is read as text, since ioredis decodes text faster than Buffers. Blocks in it are damaged, and not
    // used.
    const hash = await readFields(this.#context, this.#key);
    const heads = new Map<string, string>();
    const labels: [row: number, labels: string][] = [];
    let maxSize = 0;
    let size = 0;
    for (let i = 0; i < hash.length; i += 2) {
      const name = hash[i]!;
      if (name.startsWith(`${ROW_FIELD}[`)) {
        const row = Number(hash[i + 1]);
        labels.push([row, name.slice(ROW_FIELD.length)]);
        size = Math.max(size, row + 1);
      } else if (name.startsWith('b:')) maxSize += rowsOfBlock(this.family.cells);
      else if (name.length === 1) heads.set(name, hash[i + 1]!);
      if (slice.isOverAfterStep()) await slice.next();
    }
    // Rows are numbered from 0 without gaps, so the blocks limit the memory that an invalid row can demand.
    const invalid = labels.find(([row]) => !(row >= 0 && row < maxSize && Number.isInteger(row)));
    if (invalid !== undefined) throw new Error(`the row of the series ${invalid[1]} is not in a block`);
    this.#known = {
      identity: heads.get(HEAD.identity) ?? '',
      version: heads.get(HEAD.version) ?? '',
      rows: await this.#rowsOf(labels, size, slice),
    };
    return hash.length > 0;
  }

  /**
   * Returns the label rows. If no known row has changed, only rows after them are added: new series mostly come last.
   */
  async #rowsOf(
    given: readonly [row: number, labels: string][],
    size: number,
    slice: TimeSlice,
  ): Promise<LabelRows> {
    const labels = new Array<string | undefined>(size);
    for (const [row, json] of given) if (row < size) labels[row] = json;
    const known = this.#labels;
    if (known.some((json, row) => json !== labels[row])) {
      this.#column = new LabelColumn();
      known.length = 0;
    }
    const absent: number[] = [];
    for (let row = known.length; row < size; row++) {
      const text = this.#textOf(labels[row]);
      this.#column.add(text ?? '');
      if (text === undefined) absent.push(row);
      known.push(labels[row]);
      if (slice.isOverAfterStep()) await slice.next();
    }
    for (const row of absent) this.#column.remove(row);
    // The next `add` would reuse a removed row for another series. So the next read rebuilds the column.
    if (absent.length > 0) this.#labels = [STALE];
    return this.#column.view();
  }

  /** Returns the label text of a row; undefined for a free row, and for labels that do not fit the family. */
  #textOf(json: string | undefined): string | undefined {
    const { labelNames } = this.family;
    const labels = json === undefined ? undefined : parseTexts(json);
    return labels?.length === labelNames.length ? labelText(labelNames, labels) : undefined;
  }
}
