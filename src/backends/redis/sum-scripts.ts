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
 * Adds numbers to cells and to this producer's shares. ARGV: as in {@link BEGIN_BATCH}, then a string of doubles. For
 * each changed block, the string has the number of the block, its generation, the index of the first cell, the number
 * of cells, and the addend of each of these cells.
 *
 * If any block has a different generation, applies nothing and returns `moved` followed by the numbers of such blocks.
 * Fails if a block lacks any of the cells.
 */
export const ADD = new Script(`${BEGIN_BATCH}
local data, at, set, moved, formats = ARGV[5], 1, {}, {}, {}
local function plus(numbers)
  local parts = {}
  for from = 1, #numbers, 2000 do
    local count = math.min(250, (#numbers - from + 1) / 8)
    local format = formats[count] or '<' .. string.rep('d', count)
    formats[count] = format
    local sums, more = { struct.unpack(format, numbers, from) }, { struct.unpack(format, data, at + from - 1) }
    for i = 1, count do sums[i] = sums[i] + more[i] end
    parts[#parts + 1] = struct.pack(format, unpack(sums, 1, count))
  end
  return table.concat(parts)
end
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
    local from, to = 8 + 8 * first, 8 + 8 * (first + count)
    local before = string.sub(bytes, from + 1, to)
    local sums = plus(before)
    set[#set + 1] = name
    set[#set + 1] = string.sub(bytes, 1, from) .. sums .. string.sub(bytes, to + 1)
    name = string.format('o:%s:%d', ARGV[1], number)
    local share = redis.call('HGET', key, name) or ''
    local start = #share >= 8 and struct.unpack('<d', share) or -1
    if not (start >= 0 and 8 * start < #bytes and start % 1 == 0) then
      start, share = first, struct.pack('<d', first)
    elseif first < start then
      share = struct.pack('<d', first) .. string.rep('\\0', 8 * (start - first)) .. string.sub(share, 9)
      start = first
    end
    from, to = from - 8 * start, to - 8 * start
    if #share < to then share = share .. string.rep('\\0', to - #share) end
    local own = string.sub(share, from + 1, to)
    if own == before then own = sums else own = plus(own) end
    set[#set + 1] = name
    set[#set + 1] = string.sub(share, 1, from) .. own .. string.sub(share, to + 1)
  end
  at = at + 8 * count
end
if #moved > 0 then return 'moved ' .. table.concat(moved, ' ') end
${RECORD_BATCH}
for i = 1, #set, 1000 do
  redis.call('HSET', key, unpack(set, i, math.min(i + 999, #set)))
end
return 'ok'
`);

/**
 * Removes series from which this producer has withdrawn its numbers and, on request, the numbers that ended producers
 * have in them. ARGV: as in {@link BEGIN_BATCH}; cells of a row; rows of a block; number of joins; number of running
 * producers, and their names; number of ended producers that have not been compacted, and their names; then four values
 * for each series: labels as JSON, the amount up to which a cell counts as 0, `1` to remove the numbers of ended
 * producers, and `1` if this producer has the series.
 *
 * The numbers of ended producers are the sums minus the shares of all running producers. They are kept if any running
 * producer keeps no shares, as indicated by a token without `s`. If producers have joined since they were listed, the
 * script applies nothing and returns `moved`. A row is removed if all its cells are 0, unless this producer has the
 * series.
 */
export const REMOVE = new Script(`${BEGIN_BATCH}
${GENERATION}${BLOCKS}
local cells, rows, now, at = tonumber(ARGV[5]), tonumber(ARGV[6]), generation(), 8
if (redis.call('HGET', key, 'm') or '0') ~= ARGV[7] then return 'moved' end
local function list()
  local names, last = {}, at + ARGV[at]
  for i = at + 1, last do names[#names + 1] = ARGV[i] end
  at = last + 1
  return names
end
local running, ended, haveShares = {}, nil, true
for _, name in ipairs(list()) do
  local joined = redis.call('HGET', key, 'q:' .. name)
  if joined then
    running[#running + 1] = name
    if not string.find(joined, '/s/', 1, true) then haveShares = false end
  end
end
ended = list()
local shares, wiped = {}, {}
local function share(producer, number)
  local name = 'o:' .. producer .. ':' .. number
  shares[name] = shares[name] or redis.call('HGET', key, name) or ''
  local bytes = shares[name]
  return bytes, #bytes >= 8 and struct.unpack('<d', bytes) or 0, name
end
local function sumOfShares(number, first)
  local sums = {}
  for i = 1, cells do sums[i] = 0 end
  for _, producer in ipairs(running) do
    local bytes, start = share(producer, number)
    for i = 1, cells do
      local from = 8 * (first - start + i) + 1
      if from > 8 and from + 7 <= #bytes then sums[i] = sums[i] + struct.unpack('<d', bytes, from) end
    end
  end
  for i = 1, cells do sums[i] = struct.pack('<d', sums[i]) end
  return table.concat(sums)
end
local function wipe(number, first)
  for _, producer in ipairs(ended) do
    local bytes, start, name = share(producer, number)
    local from = 8 * (first - start + 1)
    local to = math.min(from + 8 * cells, #bytes)
    from = math.max(from, 8)
    if to > from then
      shares[name] = string.sub(bytes, 1, from) .. string.rep('\\0', to - from) .. string.sub(bytes, to + 1)
      wiped[name] = true
    end
  end
end
local function isZero(numbers, tolerance)
  for i = 1, #numbers - 7, 8 do
    if math.abs((struct.unpack('<d', numbers, i))) > tolerance then return false end
  end
  return true
end
local names, free = {}, {}
for i = at, #ARGV, 4 do
  local row = tonumber(redis.call('HGET', key, 'r:' .. ARGV[i]))
  local number = row and math.floor(row / rows)
  if row and block(number) ~= '' then
    local bytes, first = block(number), cells * (row % rows)
    local from, to = 8 + 8 * first, 8 + 8 * (first + cells)
    local numbers, kept, isEnded = string.sub(bytes, from + 1, to), string.sub(bytes, 1, 8), ARGV[i + 2] == '1' and haveShares
    if isEnded then
      numbers = sumOfShares(number, first)
      wipe(number, first)
    end
    if ARGV[i + 3] == '0' and isZero(numbers, tonumber(ARGV[i + 1])) then
      names[#names + 1] = 'r:' .. ARGV[i]
      free[#free + 1] = struct.pack('<d', row)
      numbers, kept = string.rep('\\0', 8 * cells), now
    end
    blocks[number] = kept .. string.sub(bytes, 9, from) .. numbers .. string.sub(bytes, to + 1)
  end
end
${RECORD_BATCH}
writeBlocks()
for name in pairs(wiped) do redis.call('HSET', key, name, shares[name]) end
if #names > 0 then
  redis.call('HSET', key, 'f', (redis.call('HGET', key, 'f') or '') .. table.concat(free), 'v', string.format('%.0f', (struct.unpack('<d', now))))
  for i = 1, #names, 1000 do
    redis.call('HDEL', key, unpack(names, i, math.min(i + 999, #names)))
  end
end
return 'ok'
`);
