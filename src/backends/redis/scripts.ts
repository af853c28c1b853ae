/** The Lua that Redis runs: each script touches one key, so it runs on a cluster too. */

/**
 * Applies a batch to a family's hash, once. The sequence number is written first: if a later command fails,
 * the batch is not applied again. Numbers stay text, since Lua would cut them to 14 digits.
 *
 * KEYS: the hash. ARGV: producer, sequence number, seconds to live, then `operation field value` triples:
 * `i` adds an integer, `f` any number, `=` sets, `-` deletes.
 *
 * Returns `ok`; `seen` for a batch that was applied before; `lost` when the hash knows nothing of a producer
 * that has sent before: it expired or was flushed, and nothing was applied.
 */
export const FLUSH = `
local key, producer = KEYS[1], 'q:' .. ARGV[1]
local last = redis.call('HGET', key, producer)
if last and tonumber(last) >= tonumber(ARGV[2]) then return 'seen' end
if not last and tonumber(ARGV[2]) > 1 then return 'lost' end
redis.call('HSET', key, producer, ARGV[2])
redis.call('HSETNX', key, 't', redis.call('TIME')[1])
for i = 4, #ARGV, 3 do
  local operation, field, value = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if operation == '=' then
    redis.pcall('HSET', key, field, value)
  elseif operation == '-' then
    redis.pcall('HDEL', key, field)
  else
    local reply
    if operation == 'i' then reply = redis.pcall('HINCRBY', key, field, value) end
    if type(reply) ~= 'number' then reply = redis.pcall('HINCRBYFLOAT', key, field, value) end
    if type(reply) == 'table' and reply.err then
      local sum = tonumber(redis.call('HGET', key, field) or '0') + tonumber(value)
      redis.pcall('HSET', key, field, tostring(sum))
    end
  end
end
redis.call('EXPIRE', key, ARGV[3])
return 'ok'
`;

/**
 * A sign of life, by the clock of Redis. KEYS: the sorted set of producers. ARGV: producer (empty: only asks),
 * seconds until it counts as gone, seconds to live. Returns `1` or `0`, for
 * whether the producer was known, and then the producers that live.
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
