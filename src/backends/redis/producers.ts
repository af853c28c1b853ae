/**
 * The producers that write under one key prefix: their heartbeats, their end, and the compaction of what ended ones
 * leave, so that a family does not grow with every program that ever ran.
 *
 * A producer is one process, from one loading of the backend to the next. Each of its threads is a writer.
 */
import { isRefusal, Script } from './connection.js';
import { parseDescriptor, type RedisContext } from './family-hash.js';

/**
 * Seconds after which a producer that did not sign off is compacted. It may only be cut off, with a batch that was
 * applied and whose reply was lost: while its sequence number is kept, that batch is not applied again.
 */
const MIN_ABSENCE = 7 * 24 * 3600;

/**
 * Records a heartbeat, by the clock of Redis. KEYS: the sorted set. ARGV: producer (empty: reads only), seconds until a
 * producer counts as ended, seconds to live. Returns `1` or `0`, for whether the producer was listed, then the
 * producers that are running.
 */
const HEARTBEAT = new Script(`
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
`);

/** Marks a producer as ended: its score becomes the negative time. KEYS: the sorted set. ARGV: the producer. */
const SIGN_OFF = new Script(`
return redis.call('ZADD', KEYS[1], -tonumber(redis.call('TIME')[1]), ARGV[1])
`);

/**
 * Returns producers to compact. KEYS: the sorted set. ARGV: minimum seconds since a producer signed off, and since the
 * last heartbeat of one that did not.
 */
const ENDED_PRODUCERS = new Script(`
local now = tonumber(redis.call('TIME')[1])
local ended = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1] - now, 0, 'LIMIT', 0, 1000)
for _, producer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], 0, now - ARGV[2], 'LIMIT', 0, 1000)) do
  ended[#ended + 1] = producer
end
return ended
`);

/**
 * Compacts some fields of one family. Sequence numbers are deleted, and so are values that only running producers
 * contribute: live gauges and increments of the mode `shared`. Other values are merged into those of one writer
 * without a name; rows of the mode `all` stay. No reader sees a difference at any moment.
 *
 * KEYS: the hash. ARGV: merge mode, cursor, and the ended producers as JSON. Returns the next cursor, `0` at the end.
 */
const COMPACT = new Script(`
local key, merge = KEYS[1], ARGV[1]
local ended, fields, compacted = {}, {}, {}
for i = 3, #ARGV do
  ended[ARGV[i]] = true
  fields[#fields + 1] = 'q:' .. cjson.decode(ARGV[i])
end
local function parse(text)
  local numbers = {}
  for word in string.gmatch(text, '%S+') do
    if word ~= 'gone' then numbers[#numbers + 1] = tonumber(word) end
  end
  return numbers
end
local function format(numbers)
  for i = 1, #numbers do numbers[i] = string.format('%.17g', numbers[i]) end
  return table.concat(numbers, ' ')
end
local function merged(a, b)
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
    if producer and ended[producer] then
      fields[#fields + 1] = name
      local numbers = parse(value)
      local counts = merge == 'each' or (numbers[2] or 0) > (merge == 'shared' and 1 or 0)
      if counts and merge ~= 'newest' and string.sub(merge, 1, 4) ~= 'live' then
        local archive = 'p:["",""]:' .. labels
        local before = compacted[archive] or redis.call('HGET', key, archive)
        compacted[archive] = before and format(merged(parse(before), numbers)) or format(numbers)
      end
    end
  end
end
for name, value in pairs(compacted) do redis.call('HSET', key, name, value) end
for i = 1, #fields, 1000 do
  redis.call('HDEL', key, unpack(fields, i, math.min(i + 999, #fields)))
end
return next
`);

export interface Heartbeat {
  /** Whether the producer was listed before; false when only read. */
  readonly wasListed: boolean;
  /** The producers that are running. */
  readonly living: ReadonlySet<string>;
}

/** Records this producer's heartbeat. */
export const recordHeartbeat = (context: RedisContext) => heartbeat(context, context.producer);

/** Returns the producers that are running. */
export const readLiving = async (context: RedisContext) => (await heartbeat(context, '')).living;

async function heartbeat({ connection, settings, keys }: RedisContext, producer: string): Promise<Heartbeat> {
  const args = [producer, settings.heartbeat, settings.expireKeyTime];
  const reply = (await connection.run(HEARTBEAT, keys.producers, args)) as string[];
  return { wasListed: reply[0] === '1', living: new Set(reply.slice(1)) };
}

/** Marks this producer as ended. */
export async function signOff({ connection, keys, producer }: RedisContext): Promise<void> {
  await connection.run(SIGN_OFF, keys.producers, [producer]);
}

/**
 * Compacts what ended producers have left: those that signed off a `heartbeat` ago, since they have no batch on its way
 * and would have come back by now, and those absent for very long. Several processes may do so at once.
 */
export async function compactEnded({ connection, settings, keys }: RedisContext): Promise<void> {
  const ages = [settings.heartbeat, Math.max(settings.expireKeyTime, MIN_ABSENCE)];
  const ended = (await connection.run(ENDED_PRODUCERS, keys.producers, ages)) as string[];
  if (ended.length === 0) return;
  const names = ended.map((producer) => JSON.stringify(producer));
  const index = (await connection.call('HGETALL', keys.families)) as string[];
  for (let i = 0; i < index.length; i += 2) {
    const family = parseDescriptor(index[i + 1]!);
    if (family === undefined) continue;
    try {
      let cursor = '0';
      do {
        const args = [family.merge, cursor, ...names];
        cursor = (await connection.run(COMPACT, keys.numbers(index[i]!), args)) as string;
      } while (cursor !== '0');
    } catch (error) {
      // A key of another program is reported when it is flushed to or read.
      if (!isRefusal(error)) throw error;
    }
  }
  await connection.call('ZREM', keys.producers, ...ended);
}
