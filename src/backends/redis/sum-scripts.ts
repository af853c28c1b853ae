/**
 * The Lua for sums: cells that everybody adds to, packed into blocks, so that a batch is a few additions of whole
 * columns and a scrape a few strings. Numbers are float64 all the way, never text.
 *
 * A block is a string of doubles, lowest byte first: its generation, then the cells of its rows. The generation
 * is when one of its rows was last given to a series or taken from one, in microseconds by the clock of Redis. A
 * batch says which generation it means: so no number is ever added to a row that has become another series,
 * not even in a Redis that has gone back to an earlier state.
 */
import { BEGIN, END, NOTE } from './scripts.js';

/** Gives the time as a block's generation. */
const GENERATION = `
local function generation()
  local now = redis.call('TIME')
  return struct.pack('<d', tonumber(now[1]) * 1000000 + tonumber(now[2]))
end
`;

/** Blocks that a script changes: read once, written at its end. */
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
 * Finds the rows of series, by their labels, and gives rows to those that have none.
 *
 * KEYS: the hash. ARGV: identity of the hash, seconds to live, cells of a row, rows of a block, `1` to give rows,
 * then labels as JSON. Returns `lost` when it is another hash; else row and generation of its block for each, in
 * turn, separated by spaces; row -1 where there is none.
 */
export const PLACE = `
local key = KEYS[1]
local head = redis.call('HMGET', key, 't', 'n', 'f')
if head[1] ~= ARGV[1] then return 'lost' end
local cells, rows = tonumber(ARGV[3]), tonumber(ARGV[4])
local count, free = tonumber(head[2] or '0'), head[3] or ''
${GENERATION}${BLOCKS}
local reply, made, lengths, now = {}, {}, {}, generation()
for i = 6, #ARGV, 1000 do
  local names = {}
  for j = i, math.min(i + 999, #ARGV) do names[#names + 1] = 'r:' .. ARGV[j] end
  local found = redis.call('HMGET', key, unpack(names))
  for j = 1, #names do
    local row = found[j] and tonumber(found[j]) or -1
    if row < 0 and ARGV[5] == '1' then
      if #free > 0 then
        row = struct.unpack('<d', free, #free - 7)
        free = string.sub(free, 1, #free - 8)
      else
        row = count
        count = count + 1
      end
      made[#made + 1] = names[j]
      made[#made + 1] = string.format('%d', row)
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
for i = 1, #made, 1000 do
  redis.call('HSET', key, unpack(made, i, math.min(i + 999, #made)))
end
if #made > 0 then
  redis.call('HSET', key, 'n', count, 'f', free, 'v', string.format('%.0f', (struct.unpack('<d', now))))
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
`;

/**
 * Adds to cells. ARGV: as in {@link BEGIN}, and a string of doubles: for each block that has changed its number, its
 * generation, the first cell to add to, how many, and what to add to each.
 *
 * Returns `moved` and the numbers of blocks that are of another generation: then nothing was applied.
 */
export const ADD = `${BEGIN}
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
${NOTE}
for i = 1, #set, 1000 do
  redis.call('HSET', key, unpack(set, i, math.min(i + 999, #set)))
end
${END}`;

/** Takes series away. ARGV: as in {@link BEGIN}, cells of a row, rows of a block, then labels as JSON. */
export const REMOVE = `${BEGIN}
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
${NOTE}
if #names > 0 then
  redis.call('HSET', key, 'f', (redis.call('HGET', key, 'f') or '') .. table.concat(free), 'v', string.format('%.0f', (struct.unpack('<d', now))))
  writeBlocks()
  for i = 1, #names, 1000 do
    redis.call('HDEL', key, unpack(names, i, math.min(i + 999, #names)))
  end
end
${END}`;

/**
 * Reads all blocks. KEYS: the hash. ARGV: its identity, the generation of its latest block, and how many blocks
 * there are, all as the reader knows them. Returns how many arrivals there were and the blocks; nothing when
 * series have come or gone, or it is another hash.
 */
export const READ = `
local head = redis.call('HMGET', KEYS[1], 't', 'v', 'm')
if (head[1] or '') ~= ARGV[1] or (head[2] or '') ~= ARGV[2] then return {} end
local reply = { head[3] or '0' }
for i = 0, ARGV[3] - 1, 1000 do
  local names = {}
  for number = i, math.min(i + 999, ARGV[3] - 1) do names[#names + 1] = 'b:' .. number end
  for _, bytes in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do reply[#reply + 1] = bytes end
end
return reply
`;
