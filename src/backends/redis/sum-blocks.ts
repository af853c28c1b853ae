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
 */
import { endianness } from 'node:os';
import { Script } from './connection.js';
import { BEGIN_BATCH, END_BATCH, RECORD_BATCH } from './family-hash.js';

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
 * Encodes the numbers to add, in the format of `ADD`: for each block, a number for every cell from its first to its last
 * changed row. Positions without a row are left out.
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
  const bytes = Buffer.from(out.buffer);
  return endianness() === 'BE' ? bytes.swap64() : bytes;
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

/** Decodes blocks, without their generations, into the cells of `size` rows. */
export function decodeBlocks(cells: number, blocks: readonly (Buffer | null)[], size: number): Float64Array {
  const values = new Float64Array(size * cells);
  const bytes = Buffer.from(values.buffer);
  const length = rowsOfBlock(cells) * cells * values.BYTES_PER_ELEMENT;
  for (const [number, block] of blocks.entries()) {
    block?.copy(bytes, number * length, values.BYTES_PER_ELEMENT);
  }
  if (endianness() === 'BE') bytes.swap64();
  return values;
}

/** Lua: `generation()` returns the current time as a block's generation. */
const GENERATION = `
local function generation()
  local now = redis.call('TIME')
  return struct.pack('<d', tonumber(now[1]) * 1000000 + tonumber(now[2]))
end
`;

/** Lua: `block(number)` reads a block once; `writeBlocks()` writes all that were read. */
const BLOCKS = `
local blocks = {}
local function block(number)
  blocks[number] = blocks[number] or redis.call('HGET', key, 'b:' .. number) or ''
  return blocks[number]
end
local function writeBlocks()
  for number, bytes in pairs(blocks) do redis.call('HSET', key, 'b:' .. number, bytes) end
end
`;

/**
 * Finds the rows of series by their labels, and assigns rows to those that have none.
 *
 * KEYS: the hash. ARGV: identity of the hash, seconds to live, cells of a row, rows of a block, `1` to assign rows,
 * then labels as JSON. Returns `lost` if the hash has another identity. Otherwise returns two numbers for each series,
 * all separated by spaces: its row, or -1 if it has none, and the generation of the row's block.
 */
export const LOCATE = new Script(`
local key = KEYS[1]
local head = redis.call('HMGET', key, 't', 'n', 'f')
if head[1] ~= ARGV[1] then return 'lost' end
local cells, rows = tonumber(ARGV[3]), tonumber(ARGV[4])
local count, free = tonumber(head[2] or '0'), head[3] or ''
local left = #free
${GENERATION}${BLOCKS}
local reply, assigned, lengths, now = {}, {}, {}, generation()
for i = 6, #ARGV, 1000 do
  local names = {}
  for j = i, math.min(i + 999, #ARGV) do names[#names + 1] = 'r:' .. ARGV[j] end
  local found = redis.call('HMGET', key, unpack(names))
  for j = 1, #names do
    local row = found[j] and tonumber(found[j]) or -1
    if row < 0 and ARGV[5] == '1' then
      if left > 0 then
        row = struct.unpack('<d', free, left - 7)
        left = left - 8
      else
        row = count
        count = count + 1
      end
      assigned[#assigned + 1] = names[j]
      assigned[#assigned + 1] = string.format('%d', row)
      local number = math.floor(row / rows)
      lengths[number] = math.max(lengths[number] or 0, 8 * cells * (row % rows + 1))
    end
    reply[#reply + 1] = row
  end
end
for number, length in pairs(lengths) do
  local numbers = string.sub(block(number), 9)
  blocks[number] = now .. numbers .. string.rep('\\0', length - #numbers)
end
for i = 1, #assigned, 1000 do
  redis.call('HSET', key, unpack(assigned, i, math.min(i + 999, #assigned)))
end
if #assigned > 0 then
  redis.call('HSET', key, 'n', count, 'f', string.sub(free, 1, left), 'v', string.format('%.0f', (struct.unpack('<d', now))))
  writeBlocks()
  redis.call('EXPIRE', key, ARGV[2])
end
local generations = {}
for i = 1, #reply do
  local number = math.floor(reply[i] / rows)
  if not generations[number] then
    local bytes = number >= 0 and block(number) or ''
    generations[number] = string.format(' %.0f', #bytes >= 8 and struct.unpack('<d', bytes) or 0)
  end
  reply[i] = reply[i] .. generations[number]
end
return table.concat(reply, ' ')
`);

/**
 * Adds to cells. ARGV: as in {@link BEGIN_BATCH}, then a string of doubles. For each changed block it has the number of
 * the block, the generation, the index of the first cell, the count of cells, and the addend of each of these cells.
 *
 * If blocks have another generation by now, nothing is applied. Then the reply is `moved` and the numbers of these blocks.
 */
export const ADD = new Script(`${BEGIN_BATCH}
local data, at, set, moved = ARGV[5], 1, {}, {}
while at <= #data do
  local number, generation, first, count
  number, generation, first, count, at = struct.unpack('<dddd', data, at)
  local name = string.format('b:%d', number)
  local bytes = redis.call('HGET', key, name) or ''
  if #bytes < 8 + 8 * (first + count) or struct.unpack('<d', bytes) ~= generation then
    moved[#moved + 1] = string.format('%d', number)
  elseif #moved == 0 then
    local parts = { string.sub(bytes, 1, 8 + 8 * first) }
    for done = 0, count - 1, 250 do
      local some = math.min(250, count - done)
      local format = '<' .. string.rep('d', some)
      local sums = { struct.unpack(format, bytes, 9 + 8 * (first + done)) }
      local more = { struct.unpack(format, data, at + 8 * done) }
      for i = 1, some do sums[i] = sums[i] + more[i] end
      parts[#parts + 1] = struct.pack(format, unpack(sums, 1, some))
    end
    parts[#parts + 1] = string.sub(bytes, 9 + 8 * (first + count))
    set[#set + 1] = name
    set[#set + 1] = table.concat(parts)
  end
  at = at + 8 * count
end
if #moved > 0 then return 'moved ' .. table.concat(moved, ' ') end
${RECORD_BATCH}
for i = 1, #set, 1000 do
  redis.call('HSET', key, unpack(set, i, math.min(i + 999, #set)))
end
${END_BATCH}`);

/** Removes series. ARGV: as in {@link BEGIN_BATCH}, cells of a row, rows of a block, then labels as JSON. */
export const REMOVE = new Script(`${BEGIN_BATCH}
${GENERATION}${BLOCKS}
local cells, rows, now = tonumber(ARGV[5]), tonumber(ARGV[6]), generation()
local names, free = {}, {}
for i = 7, #ARGV do
  local row = tonumber(redis.call('HGET', key, 'r:' .. ARGV[i]))
  if row then
    names[#names + 1] = 'r:' .. ARGV[i]
    free[#free + 1] = struct.pack('<d', row)
    local number, at = math.floor(row / rows), 8 + 8 * cells * (row % rows)
    local bytes = block(number)
    blocks[number] = now .. string.sub(bytes, 9, at) .. string.rep('\\0', 8 * cells) .. string.sub(bytes, at + 8 * cells + 1)
  end
end
${RECORD_BATCH}
if #names > 0 then
  redis.call('HSET', key, 'f', (redis.call('HGET', key, 'f') or '') .. table.concat(free), 'v', string.format('%.0f', (struct.unpack('<d', now))))
  writeBlocks()
  for i = 1, #names, 1000 do
    redis.call('HDEL', key, unpack(names, i, math.min(i + 999, #names)))
  end
end
${END_BATCH}`);
