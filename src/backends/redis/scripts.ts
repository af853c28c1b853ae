/** The Lua that Redis runs: each script touches one key, so it runs on a cluster too. */

/**
 * Applies a batch to a family's hash, once: everything that Redis may refuse is refused before the first write,
 * and the sequence number is written with the numbers.
 *
 * KEYS: the hash. ARGV: producer, identity of the hash, sequence number, seconds to live, how many fields to
 * delete and how many to add to; then the fields to delete, the fields to add to, what to add to each, and
 * pairs of fields and values to set.
 *
 * With an empty identity it applies nothing and gives the identity, which is made with the hash. So a batch
 * that was on its way when the hash was lost is never applied to the one that follows.
 *
 * Sums are made in float64 and written with 17 digits, which is exact; HINCRBYFLOAT writes 17 digits after the
 * point, which makes zeros of small numbers.
 *
 * Returns `ok`; `seen` for a batch that was applied before; `lost` when it is another hash than the producer
 * knows, and nothing was applied; `gap n` when it was applied and n batches before it are missing.
 */
export const FLUSH = `
local key, field = KEYS[1], 'q:' .. ARGV[1]
local head = redis.call('HMGET', key, 't', field)
local identity = head[1]
if ARGV[2] == '' then
  if not identity then
    local now = redis.call('TIME')
    identity = string.format('%s.%06d', now[1], now[2])
    redis.call('HSET', key, 't', identity)
  end
  redis.call('EXPIRE', key, ARGV[4])
  return identity
end
if identity ~= ARGV[2] then return 'lost' end
local last, sequence = tonumber(head[2] or '0'), tonumber(ARGV[3])
if last >= sequence then return 'seen' end
local deletions, additions = tonumber(ARGV[5]), tonumber(ARGV[6])
local first = 7 + deletions
local values = first + additions
for i = 7, first - 1, 1000 do
  redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 999, first - 1)))
end
local set = { field, ARGV[3] }
local n = 2
for i = first, values - 1, 1000 do
  local before = redis.call('HMGET', key, unpack(ARGV, i, math.min(i + 999, values - 1)))
  for j = 1, #before do
    local more = ARGV[i + additions + j - 1]
    set[n + 1] = ARGV[i + j - 1]
    set[n + 2] = before[j] and string.format('%.17g', tonumber(before[j]) + tonumber(more)) or more
    n = n + 2
  end
end
for i = values + additions, #ARGV do
  n = n + 1
  set[n] = ARGV[i]
end
for i = 1, n, 1000 do
  redis.call('HSET', key, unpack(set, i, math.min(i + 999, n)))
end
redis.call('EXPIRE', key, ARGV[4])
if last + 1 < sequence then return 'gap ' .. (sequence - last - 1) end
return 'ok'
`;

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

/**
 * Producers that have been gone for long. KEYS: the sorted set. ARGV: for how many seconds when they have said
 * goodbye, and when they have not. The score of a goodbye is its negative time.
 */
export const GONE_PRODUCERS = `
local now = tonumber(redis.call('TIME')[1])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1] - now, 0, 'LIMIT', 0, 1000)
for _, producer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], 0, now - ARGV[2], 'LIMIT', 0, 1000)) do
  gone[#gone + 1] = producer
end
return gone
`;

/** A producer's goodbye: it counts as gone at once. KEYS: the sorted set. ARGV: the producer. */
export const GOODBYE = `
return redis.call('ZADD', KEYS[1], -tonumber(redis.call('TIME')[1]), ARGV[1])
`;

/**
 * Takes away what only mattered while a producer lived: the number of its last batch, gauges that count for
 * the living alone, and what is forgotten in time. KEYS: the hash. ARGV: merge mode, and the producers as JSON.
 */
export const SWEEP = `
local dead, fields = {}, {}
for i = 2, #ARGV do
  dead[ARGV[i]] = true
  fields[#fields + 1] = 'q:' .. cjson.decode(ARGV[i])
end
local live = string.sub(ARGV[1], 1, 4) == 'live' or ARGV[1] == 'newest'
if live or ARGV[1] == 'shared' then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local producer = string.match(all[i], '^p:%[(".-[^\\\\]"),"')
    if producer and dead[producer] and (live or (tonumber(string.match(all[i + 1], '^%S+ (%S+)')) or 2) <= 1) then
      fields[#fields + 1] = all[i]
    end
  end
end
for i = 1, #fields, 1000 do
  redis.call('HDEL', KEYS[1], unpack(fields, i, math.min(i + 999, #fields)))
end
return #fields
`;
