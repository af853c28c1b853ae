/** The Lua that Redis runs, but for sums: each script touches one key, so it runs on a cluster too. */

/**
 * A producer comes to a family's hash, which is made if it must be. KEYS: the hash. ARGV: producer, seconds to live.
 *
 * Returns the token that its batches carry: the identity of the hash, and which arrival at it this is. A batch
 * that was on its way when the hash was lost, or the producer swept up, is never applied to what follows.
 * A producer that is known has its token already: this call may come late, or twice.
 */
export const JOIN = `
local key, field = KEYS[1], 'q:' .. ARGV[1]
local head = redis.call('HMGET', key, 't', field)
local identity, token = head[1], head[2] and string.match(head[2], '^%S+')
if not identity then
  local now = redis.call('TIME')
  identity = string.format('%s.%06d', now[1], now[2])
  redis.call('HSET', key, 't', identity)
end
if not token then
  local arrivals = (redis.call('HGET', key, 'm') or 0) + 1
  token = identity .. '/' .. arrivals
  redis.call('HSET', key, field, token .. ' 0', 'm', arrivals)
end
redis.call('EXPIRE', key, ARGV[2])
return token
`;

/**
 * What every batch begins with. KEYS: the hash. ARGV: producer, token, sequence number, seconds to live.
 *
 * Ends with `lost` when it is another hash than the producer knows, `unknown` when the hash does not know the
 * producer, and `seen` for a batch that was applied before.
 */
export const BEGIN = `
local key, field = KEYS[1], 'q:' .. ARGV[1]
local head = redis.call('HMGET', key, 't', field)
local token, last = string.match(head[2] or '', '^(%S+) (%d+)$')
if token ~= ARGV[2] then
  return head[1] and head[1] == string.match(ARGV[2], '^[^/]+') and 'unknown' or 'lost'
end
local missing = tonumber(ARGV[3]) - tonumber(last) - 1
if missing < 0 then return 'seen' end
`;

/**
 * What every batch writes first: a Redis that refuses writes refuses this one, and nothing was done; after it
 * nothing is refused any more.
 */
export const NOTE = `
redis.call('HSET', key, field, token .. ' ' .. ARGV[3])
redis.call('EXPIRE', key, ARGV[4])
`;

/** `ok`, or `gap n` when it was applied and n batches before it are missing. */
export const END = `
return missing > 0 and 'gap ' .. missing or 'ok'
`;

/** A writer's own numbers. ARGV: as in {@link BEGIN}, how many fields to delete, those, fields and values in turn. */
export const SET = `${BEGIN}${NOTE}
local first = 6 + tonumber(ARGV[5])
for i = 6, first - 1, 1000 do
  redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 999, first - 1)))
end
for i = first, #ARGV, 1000 do
  redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
${END}`;

/**
 * A sign of life, by the clock of Redis. KEYS: the sorted set of producers. ARGV: producer (empty: only asks),
 * seconds until it counts as gone, seconds to live. Returns `1` or `0`, for whether the producer was known,
 * and then the producers that live.
 */
export const HEARTBEAT = `
local now = tonumber(redis.call('TIME')[1])
local known = '0'
if ARGV[1] ~= '' then
  if redis.call('ZSCORE', KEYS[1], ARGV[1]) then known = '1' end
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
local reply = redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[2]), '+inf')
table.insert(reply, 1, known)
return reply
`;

/** A producer's goodbye: it counts as gone at once. KEYS: the sorted set. ARGV: the producer. */
export const GOODBYE = `
return redis.call('ZADD', KEYS[1], -tonumber(redis.call('TIME')[1]), ARGV[1])
`;

/**
 * Producers that do not come back. KEYS: the sorted set. ARGV: for how many seconds they have been gone when they
 * have said goodbye, and when they have not. The score of a goodbye is its negative time.
 */
export const GONE_PRODUCERS = `
local now = tonumber(redis.call('TIME')[1])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1] - now, 0, 'LIMIT', 0, 1000)
for _, producer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], 0, now - ARGV[2], 'LIMIT', 0, 1000)) do
  gone[#gone + 1] = producer
end
return gone
`;

/**
 * Folds what producers that are gone have left. The number of their last batch goes, and so do live gauges, what is
 * forgotten in time anyway, and increments that count for the living alone. All other numbers become those of one
 * writer without a name; rows of mode `all` stay those of their writer. Nothing changes for who reads, at no moment.
 *
 * KEYS: the hash. ARGV: merge mode, cursor, and the producers as JSON. Looks at some fields, and returns the cursor
 * for the next ones; `0` after the last.
 */
export const FOLD = `
local key, merge = KEYS[1], ARGV[1]
local dead, fields, folded = {}, {}, {}
for i = 3, #ARGV do
  dead[ARGV[i]] = true
  fields[#fields + 1] = 'q:' .. cjson.decode(ARGV[i])
end
local function words(text)
  local numbers = {}
  for word in string.gmatch(text, '%S+') do
    if word ~= 'gone' then numbers[#numbers + 1] = tonumber(word) end
  end
  return numbers
end
local function join(numbers)
  for i = 1, #numbers do numbers[i] = string.format('%.17g', numbers[i]) end
  return table.concat(numbers, ' ')
end
local function both(a, b)
  if merge == 'each' then
    for i = 1, #b do a[i] = (a[i] or 0) + b[i] end
    return a
  end
  local value
  if merge == 'sum' then value = a[1] + b[1]
  elseif merge ~= 'min' and merge ~= 'max' then value = b[2] >= a[2] and b[1] or a[1]
  elseif a[1] ~= a[1] or b[1] ~= b[1] then value = 0 / 0
  else value = math[merge](a[1], b[1]) end
  return { value, math.max(a[2], b[2]) }
end
local next = '0'
if merge ~= 'add' and merge ~= 'all' then
  local found = redis.call('HSCAN', key, ARGV[2], 'MATCH', 'p:*', 'COUNT', 1000)
  next = found[1]
  for i = 1, #found[2], 2 do
    local name, value = found[2][i], found[2][i + 1]
    local producer, labels = string.match(name, '^p:%[(".-[^\\\\]"),".-"%]:(%[.*)$')
    if producer and dead[producer] then
      fields[#fields + 1] = name
      local numbers = words(value)
      local counts = merge == 'each' or (numbers[2] or 0) > (merge == 'shared' and 1 or 0)
      if counts and merge ~= 'newest' and string.sub(merge, 1, 4) ~= 'live' then
        local one = 'p:["",""]:' .. labels
        local before = folded[one] or redis.call('HGET', key, one)
        folded[one] = before and join(both(words(before), numbers)) or join(numbers)
      end
    end
  end
end
for name, value in pairs(folded) do redis.call('HSET', key, name, value) end
for i = 1, #fields, 1000 do
  redis.call('HDEL', key, unpack(fields, i, math.min(i + 999, #fields)))
end
return next
`;
