/**
 * Layout of sums in Redis. Each series of a family has a row, which consists of its cells. Rows are stored in blocks.
 *
 * A block is a string of little-endian doubles: its generation, then the cells of its rows. So numbers stay float64, a
 * batch adds to many cells at once, and a scrape reads a few strings.
 *
 * The generation is the time at which one of the block's rows was last given to a series or taken from one, in
 * microseconds by the clock of Redis. A batch names the generation of each block that it changes, and is refused if a
 * block has another one. So no number is added to a row that belongs to another series by now, even after Redis has
 * returned to an earlier state.
 *
 * For each block, every producer has a share: the amounts that it has added to the cells. A batch changes the block and
 * the share atomically. If the hash returns to an earlier state, a producer compares its share to find the amounts that
 * are missing. A sum minus the shares of all running producers is the amount of ended producers. A share is also a
 * string of doubles: the index of its first cell in the block, then one number for each cell from there on.
 */
import { endianness } from 'node:os';
import { CELL_BYTES } from '../backend.js';

/** Row of a series in Redis. */
export interface Position {
  /** Number of the row; -1 while it is not known, and for a series without a row. */
  row: number;
  /** Generation of its block when the row was found. */
  generation: number;
}

/** Maximum cells of a block. With its generation and the overhead of a Redis string it fills 1 KiB. */
const MAX_BLOCK_CELLS = 126;

/** Returns the number of rows in a block, for rows of `cells` cells. It is at least one, however long a row is. */
export const rowsOfBlock = (cells: number): number => Math.max(1, Math.floor(MAX_BLOCK_CELLS / cells));

/** The sorted positions in one block: from index `from` up to `to`, which is not included. */
interface RowRange {
  readonly block: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Encodes the numbers to add, in the format of `ADD`: for each block, a number for every cell from its first to its
 * last changed row. Positions without a row are left out.
 *
 * @param deltas - `cells` numbers for each position
 */
export function encodeAdditions(cells: number, positions: readonly Position[], deltas: Float64Array): Buffer {
  const rows = rowsOfBlock(cells);
  const order = sortedByRow(positions);
  const ranges = rangesOf(positions, order, rows);
  const rowAt = (i: number) => positions[order[i]!]!.row;
  const length = ranges.reduce((sum, { from, to }) => sum + 4 + (rowAt(to - 1) - rowAt(from) + 1) * cells, 0);
  const out = new Float64Array(length);
  let at = 0;
  for (const { block, from, to } of ranges) {
    const first = rowAt(from);
    const count = (rowAt(to - 1) - first + 1) * cells;
    out[at] = block;
    out[at + 1] = positions[order[from]!]!.generation;
    out[at + 2] = (first % rows) * cells;
    out[at + 3] = count;
    at += 4;
    for (let i = from; i < to; i++) {
      const into = at + (rowAt(i) - first) * cells;
      const start = order[i]! * cells;
      for (let cell = 0; cell < cells; cell++) out[into + cell] = deltas[start + cell]!;
    }
    at += count;
  }
  return encodeDoubles(out);
}

/**
 * Returns the positions whose row must be looked up before numbers are added: those without a row and, where the
 * positions of one block name different generations of it, all positions in that block.
 */
export function unlocated<P extends Position>(cells: number, positions: readonly P[]): P[] {
  const order = sortedByRow(positions);
  const found = positions.filter(({ row }) => row < 0);
  for (const { from, to } of rangesOf(positions, order, rowsOfBlock(cells))) {
    const { generation } = positions[order[from]!]!;
    for (let i = from + 1; i < to; i++) {
      if (positions[order[i]!]!.generation === generation) continue;
      for (let j = from; j < to; j++) found.push(positions[order[j]!]!);
      break;
    }
  }
  return found;
}

/** Returns the indexes of the positions with a row, by row. Most often they are in this order already. */
function sortedByRow(positions: readonly Position[]): number[] {
  const order: number[] = [];
  let isSorted = true;
  let before = -1;
  for (let i = 0; i < positions.length; i++) {
    const { row } = positions[i]!;
    if (row < 0) continue;
    order.push(i);
    isSorted &&= row > before;
    before = row;
  }
  return isSorted ? order : order.sort((a, b) => positions[a]!.row - positions[b]!.row);
}

function rangesOf(positions: readonly Position[], order: readonly number[], rows: number): RowRange[] {
  const ranges: RowRange[] = [];
  for (let from = 0, to = 0; from < order.length; from = to) {
    const block = Math.floor(positions[order[from]!]!.row / rows);
    const end = (block + 1) * rows;
    while (to < order.length && positions[order[to]!]!.row < end) to += 1;
    ranges.push({ block, from, to });
  }
  return ranges;
}

/** Returns the number of the block that has a row. */
export const blockOf = (cells: number, row: number): number => Math.floor(row / rowsOfBlock(cells));

/** Adds the numbers of one row in a producer's share of a block to `numbers`. */
export function addShare(numbers: Float64Array, share: Buffer, row: number): void {
  const cells = numbers.length;
  const first = (row % rowsOfBlock(cells)) * cells - (share.length < CELL_BYTES ? 0 : share.readDoubleLE(0));
  for (let cell = 0; cell < cells; cell++) {
    const at = CELL_BYTES * (1 + first + cell);
    if (at >= CELL_BYTES && at + CELL_BYTES <= share.length) numbers[cell]! += share.readDoubleLE(at);
  }
}

/** Encodes doubles as they are stored in Redis: little-endian. */
function encodeDoubles(doubles: Float64Array): Buffer {
  const bytes = Buffer.from(doubles.buffer);
  return endianness() === 'BE' ? bytes.swap64() : bytes;
}

/**
 * Decodes blocks, without their generations, into the cells of `size` rows.
 *
 * @throws Error for a block that does not have all of its rows
 */
export function decodeBlocks(cells: number, blocks: readonly (Buffer | null)[], size: number): Float64Array {
  const length = rowsOfBlock(cells) * cells * CELL_BYTES;
  const total = size * cells * CELL_BYTES;
  for (const [number, block] of blocks.entries()) {
    const minLength = CELL_BYTES + Math.min(length, total - number * length);
    if (block === null || block.length < minLength) throw new Error(`field b:${number} is too short`);
  }
  const values = new Float64Array(size * cells);
  const bytes = Buffer.from(values.buffer);
  for (const [number, block] of blocks.entries()) block!.copy(bytes, number * length, CELL_BYTES);
  if (endianness() === 'BE') bytes.swap64();
  return values;
}
