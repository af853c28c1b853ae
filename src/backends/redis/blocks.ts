/**
 * Sums as Redis has them: the rows of a family's series, one behind the other, in blocks of doubles. A block begins
 * with its generation, which changes whenever one of its rows becomes another series, or none.
 */
import { endianness } from 'node:os';

/** Cells of a block. With its generation and what Redis keeps beside a string it fills 1 KiB. */
const BLOCK_CELLS = 126;

/** How many rows a block has: at least one, whatever its length. */
export const rowsOfBlock = (cells: number): number => Math.max(1, Math.floor(BLOCK_CELLS / cells));

/** Where a series is in Redis. */
export interface Place {
  /** -1 while it is not known, and for a series that has none. */
  readonly row: number;
  /** Of its block, when the row was found. */
  readonly generation: number;
}

/** Places in one block, `from` one place in ascending order up to another. */
interface Stretch {
  readonly block: number;
  readonly from: number;
  readonly to: number;
}

/**
 * What to add to each row, as `ADD` takes it: block by block, from the first cell that changes to the last.
 *
 * @param places - places without a row are left out
 * @param deltas - `cells` for each place
 */
export function encodeAdditions(cells: number, places: readonly Place[], deltas: Float64Array): Buffer {
  const rows = rowsOfBlock(cells);
  const order = ascending(places);
  const stretches = stretchesOf(places, order, rows);
  const rowAt = (i: number) => places[order[i]!]!.row;
  const length = stretches.reduce(
    (sum, { from, to }) => sum + 4 + (rowAt(to - 1) - rowAt(from) + 1) * cells,
    0,
  );
  const out = new Float64Array(length);
  let at = 0;
  for (const { block, from, to } of stretches) {
    const first = rowAt(from);
    const count = (rowAt(to - 1) - first + 1) * cells;
    out[at] = block;
    out[at + 1] = places[order[from]!]!.generation;
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
  return toBytes(out);
}

/**
 * The places that have to be looked up before something is added there: without a row, or in a block of which it
 * was found at different times.
 */
export function uncertain<P extends Place>(cells: number, places: readonly P[]): P[] {
  const rows = rowsOfBlock(cells);
  const order = ascending(places);
  const found = places.filter(({ row }) => row < 0);
  for (const { from, to } of stretchesOf(places, order, rows)) {
    const { generation } = places[order[from]!]!;
    for (let i = from + 1; i < to; i++) {
      if (places[order[i]!]!.generation === generation) continue;
      for (let j = from; j < to; j++) found.push(places[order[j]!]!);
      break;
    }
  }
  return found;
}

/** Of the places with a row: their indexes, by row. Mostly they are in this order already. */
function ascending(places: readonly Place[]): number[] {
  const order: number[] = [];
  let isSorted = true;
  let before = -1;
  for (let i = 0; i < places.length; i++) {
    const { row } = places[i]!;
    if (row < 0) continue;
    order.push(i);
    isSorted &&= row > before;
    before = row;
  }
  return isSorted ? order : order.sort((a, b) => places[a]!.row - places[b]!.row);
}

function stretchesOf(places: readonly Place[], order: readonly number[], rows: number): Stretch[] {
  const stretches: Stretch[] = [];
  for (let from = 0, to = 0; from < order.length; from = to) {
    const block = Math.floor(places[order[from]!]!.row / rows);
    const end = (block + 1) * rows;
    while (to < order.length && places[order[to]!]!.row < end) to += 1;
    stretches.push({ block, from, to });
  }
  return stretches;
}

/** Blocks, without their generations, into the rows that they are of. */
export function decodeBlocks(cells: number, blocks: readonly (Buffer | null)[], size: number): Float64Array {
  const values = new Float64Array(size * cells);
  const bytes = Buffer.from(values.buffer);
  const length = rowsOfBlock(cells) * cells * values.BYTES_PER_ELEMENT;
  for (const [number, block] of blocks.entries()) {
    block?.copy(bytes, number * length, values.BYTES_PER_ELEMENT);
  }
  return inOrder(bytes, values);
}

/** Lowest byte first, as on nearly every machine. */
function toBytes(values: Float64Array): Buffer {
  const bytes = Buffer.from(values.buffer);
  inOrder(bytes, values);
  return bytes;
}

function inOrder(bytes: Buffer, values: Float64Array): Float64Array {
  if (endianness() === 'BE') bytes.swap64();
  return values;
}
