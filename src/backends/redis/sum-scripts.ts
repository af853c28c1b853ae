/** Lua scripts that find, add to and remove the rows of sums. `sum-blocks.ts` describes their layout. */
import { Script } from './connection.js';
import { BEGIN_BATCH, RECORD_BATCH } from './family-hash.js';

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
  for number, bytes in pairs(blocks) do
    if bytes ~= '' then redis.call('HSET', key, 'b:' .. number, bytes) end
  end
end
`;

/**
 * Finds the rows of series by their labels, and assigns rows to those that have none.
 *
 * KEYS: the hash. ARGV: identity of the hash, seconds to live, cells of a row, rows of a block, `1` to assign rows,
 * then labels as JSON. Returns `lost` if the hash has another identity. Otherwise returns two numbers for each series,
 * all separated by spaces: its row, or -1 if it has none, and the generation of the row's block.
 *
 * Invalid data is repaired where the right value is known. An invalid number of rows is counted again. Invalid free
 * rows are dropped. A series with an invalid row gets another one.
 */
export const LOCATE = new Script(`
local key = KEYS[1]
local head = redis.call('HMGET', key, 't', 'n', 'f')
if head[1] ~= ARGV[1] then return 'lost' end
local cells, rows = tonumber(ARGV[3]), tonumber(ARGV[4])
local count, free = tonumber(head[2] or '0') or -1, head[3] or ''
local function exists(row)
  local bytes = redis.call('HGET', key, string.format('b:%.0f', math.floor(row / rows)))
  return bytes and #bytes >= 8 + 8 * cells * (row % rows + 1)
end
if count < 0 or count % 1 ~= 0 or (count > 0 and not exists(count - 1)) or exists(count) then
  count, free = 0, ''
  local hash = redis.call('HGETALL', key)
  for i = 1, #hash, 2 do
    local row = string.sub(hash[i], 1, 2) == 'r:' and tonumber(hash[i + 1]) or -1
    if row % 1 == 0 and exists(row) then count = math.max(count, row + 1) end
  end
end
local left = #free
local function freeRow()
  while left >= 8 do
    left = left - 8
    local row = struct.unpack('<d', free, left + 1)
    if row >= 0 and row < count and row % 1 == 0 then return row end
  end
end
${GENERATION}${BLOCKS}
local reply, assigned, lengths, now = {}, {}, {}, generation()
for i = 6, #ARGV, 1000 do
  local names = {}
  for j = i, math.min(i + 999, #ARGV) do names[#names + 1] = 'r:' .. ARGV[j] end
  local found = redis.call('HMGET', key, unpack(names))
  for j = 1, #names do
    local row = found[j] and tonumber(found[j]) or -1
    if row < 0 or row >= count or row % 1 ~= 0 then row = -1 end
    if row < 0 and ARGV[5] == '1' then
      row = freeRow()
      if not row then
        row = count
        count = count + 1
      end
      assigned[#assigned + 1] = names[j]
      assigned[#assigned + 1] = string.format('%.0f', row)
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
  redis.call('HSET', key, 'n', string.format('%.0f', count), 'f', string.sub(free, 1, left), 'v', string.format('%.0f', (struct.unpack('<d', now))))
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
 * Then come the changed chunks of the producer's shares, as `shares.ts` encodes them.
 *
 * If blocks have another generation by now, nothing is applied. Then the reply is `moved` and the numbers of these
 * blocks. A block without all of these cells is an error.
 */
export const ADD = new Script(`${BEGIN_BATCH}
local data, at, set, moved = ARGV[5], 1, {}, {}
while at <= #data do
  local number, generation, first, count
  number, generation, first, count, at = struct.unpack('<dddd', data, at)
  local name = string.format('b:%d', number)
  local bytes = redis.call('HGET', key, name) or ''
  local current = #bytes >= 8 and struct.unpack('<d', bytes) or 0
  if current == generation and #bytes < 8 + 8 * (first + count) then
    return redis.error_reply('ERR field ' .. name .. ' is too short')
  elseif current ~= generation then
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
for i = 6, #ARGV, 3 do
  local name, bytes = 'o:' .. ARGV[1] .. ':' .. ARGV[i], ARGV[i + 2]
  if ARGV[i + 1] == 'append' then bytes = (redis.call('HGET', key, name) or '') .. bytes end
  set[#set + 1] = name
  set[#set + 1] = bytes
end
${RECORD_BATCH}
for i = 1, #set, 1000 do
  redis.call('HSET', key, unpack(set, i, math.min(i + 999, #set)))
end
return 'ok'
`);

/**
 * Removes series from which this producer has taken its numbers back. ARGV: as in {@link BEGIN_BATCH}; cells of a row,
 * rows of a block; number of joins, number of running producers, their names; then four for each series: labels as
 * JSON, the amount up to which a cell counts as 0, `1` if the numbers of ended producers are removed too, and the new
 * numbers of this producer, or empty text.
 *
 * A row is removed if all its cells are 0. If no other running producer has joined the hash, all numbers but those of
 * this producer come from ended ones.
 */
export const REMOVE = new Script(`${BEGIN_BATCH}
${GENERATION}${BLOCKS}
local cells, rows, now, first = tonumber(ARGV[5]), tonumber(ARGV[6]), generation(), 9 + tonumber(ARGV[8])
local isAlone = (redis.call('HGET', key, 'm') or '0') == ARGV[7]
for i = 9, first - 1 do
  if ARGV[i] ~= ARGV[1] and redis.call('HGET', key, 'q:' .. ARGV[i]) then isAlone = false end
end
local function isZero(bytes, at, tolerance)
  for i = at + 1, at + 8 * cells, 8 do
    if i + 7 <= #bytes and math.abs((struct.unpack('<d', bytes, i))) > tolerance then return false end
  end
  return true
end
local names, free = {}, {}
for i = first, #ARGV, 4 do
  local row = tonumber(redis.call('HGET', key, 'r:' .. ARGV[i]))
  local number = row and math.floor(row / rows)
  if row and block(number) ~= '' then
    local bytes, own, at = block(number), ARGV[i + 3], 8 + 8 * cells * (row % rows)
    local isOwn = isAlone and ARGV[i + 2] == '1'
    if isOwn and own ~= '' then
      blocks[number] = string.sub(bytes, 1, at) .. own .. string.sub(bytes, at + 8 * cells + 1)
    elseif own == '' and (isOwn or isZero(bytes, at, tonumber(ARGV[i + 1]))) then
      names[#names + 1] = 'r:' .. ARGV[i]
      free[#free + 1] = struct.pack('<d', row)
      blocks[number] = now .. string.sub(bytes, 9, at) .. string.rep('\\0', 8 * cells) .. string.sub(bytes, at + 8 * cells + 1)
    end
  end
end
${RECORD_BATCH}
writeBlocks()
if #names > 0 then
  redis.call('HSET', key, 'f', (redis.call('HGET', key, 'f') or '') .. table.concat(free), 'v', string.format('%.0f', (struct.unpack('<d', now))))
  for i = 1, #names, 1000 do
    redis.call('HDEL', key, unpack(names, i, math.min(i + 999, #names)))
  end
end
return 'ok'
`);
