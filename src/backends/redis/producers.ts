/**
 * The producers that write under one key prefix: their heartbeats, their sign-off, and the compaction of the fields
 * that ended producers leave. Without compaction, a family would grow with every program that ever ran.
 *
 * A producer is one process, from the moment it loads the backend until it closes it. Each of its threads is a writer.
 */
import { isRefusal, Script } from './connection.js';
import { parseDescriptor, type RedisContext } from './family-hash.js';
import { rowsOfBlock } from './sum-blocks.js';

/**
 * Seconds without a heartbeat after which a producer that did not sign off is compacted. Such a producer may only be
 * cut off from Redis, and later repeat a batch that was applied but whose reply was lost. As long as Redis keeps its
 * sequence number, that batch is not applied twice.
 */
const MIN_ABSENCE = 7 * 24 * 3600;
/** Number of producers that are compacted in one call. */
const PRODUCERS_AT_ONCE = 100;

/**
 * Records a heartbeat by the clock of Redis. KEYS: the sorted set. ARGV: the producer, or empty text to record nothing;
 * seconds without a heartbeat after which a producer counts as ended; seconds to live. Returns the producer's previous
 * score, which is empty if it was not listed, and its new score, followed by the running producers. Both scores are
 * empty if no heartbeat is recorded.
 */
const HEARTBEAT = new Script(`
local time = redis.call('TIME')
local reply = { '', '' }
if ARGV[1] ~= '' then
  reply[1] = redis.call('ZSCORE', KEYS[1], ARGV[1]) or ''
  redis.call('ZADD', KEYS[1], string.format('%s.%06d', time[1], time[2]), ARGV[1])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  reply[2] = redis.call('ZSCORE', KEYS[1], ARGV[1])
end
for _, producer in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], time[1] - ARGV[2], '+inf')) do
  reply[#reply + 1] = producer
end
return reply
`);

/** Marks a producer as ended: its score becomes the negative time. KEYS: the sorted set. ARGV: the producer. */
const SIGN_OFF = new Script(`
return redis.call('ZADD', KEYS[1], -tonumber(redis.call('TIME')[1]), ARGV[1])
`);

/**
 * Returns the producers to compact. KEYS: the sorted set. ARGV: minimum seconds since the sign-off of a producer, and
 * minimum seconds since the last heartbeat of a producer that did not sign off.
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
 * Compacts some of the fields that ended producers have in one family. Deletes their sequence numbers and shares, but
 * keeps the last characters of their names, so that a producer that returns does not send its numbers again. Deletes
 * values of the mode `newest`, and values that do not count after their producer has ended: gauges of the `live…`
 * modes, and gauges of the mode `shared` that were only incremented. Merges other values into the field of a
 * writer without a name, which does not change the results of scrapes. Keeps fields of the mode `all`.
 *
 * KEYS: the hash. ARGV: merge mode, cursor, rows of a block of sums, and the ended producers as JSON. Returns the next
 * cursor, `0` at the end.
 */
const COMPACT = new Script(`
local key, merge = KEYS[1], ARGV[1]
local ended, fields, compacted, gone = {}, {}, {}, {}
local blocks = merge == 'add' and (tonumber(redis.call('HGET', key, 'n') or 0) or 0) / ARGV[3] or 0
blocks = math.min(blocks, redis.call('HLEN', key))
for i = 4, #ARGV do
  ended[ARGV[i]] = true
  local producer = cjson.decode(ARGV[i])
  if redis.call('HDEL', key, 'q:' .. producer) == 1 then gone[#gone + 1] = string.sub(producer, -8) end
  for from = 0, blocks, 1000 do
    local shares = {}
    for number = from, math.min(from + 999, blocks) do shares[#shares + 1] = 'o:' .. producer .. ':' .. number end
    redis.call('HDEL', key, unpack(shares))
  end
end
if #gone > 0 then
  for name in string.gmatch(redis.call('HGET', key, 'c') or '', '%S+') do
    if #gone < 500 then gone[#gone + 1] = name end
  end
  redis.call('HSET', key, 'c', table.concat(gone, ' ', 1, math.min(#gone, 500)))
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
if #fields > 0 then
  redis.call('HSET', key, 'k', (tonumber(redis.call('HGET', key, 'k') or 0) or 0) + 1)
end
for name, value in pairs(compacted) do redis.call('HSET', key, name, value) end
for i = 1, #fields, 1000 do
  redis.call('HDEL', key, unpack(fields, i, math.min(i + 999, #fields)))
end
return next
`);

export interface Heartbeat {
  /** The score of the producer before this heartbeat; empty if it was not listed. */
  readonly before: string;
  /** The score of the producer since this heartbeat. */
  readonly now: string;
  /** The producers that are running. */
  readonly living: ReadonlySet<string>;
}

/** Records this producer's heartbeat, and reads the clock of the server. */
export async function recordHeartbeat(context: RedisContext): Promise<Heartbeat> {
  const { clock, producer } = context;
  const sent = clock.local();
  const recorded = await heartbeat(context, producer);
  clock.adjust(Number(recorded.now), sent);
  return recorded;
}

/** Returns the producers that are running. */
export const readLiving = async (context: RedisContext) => (await heartbeat(context, '')).living;

/** Returns the running producers, and the ended producers that have not been compacted. */
export async function readProducers(
  context: RedisContext,
): Promise<[running: readonly string[], ended: readonly string[]]> {
  const living = await readLiving(context);
  const { connection, keys, producer } = context;
  const all = (await connection.call('ZRANGEBYSCORE', keys.producers, '-inf', '+inf')) as string[];
  return [[...new Set([...living, producer])], all.filter((name) => !living.has(name) && name !== producer)];
}

async function heartbeat({ connection, settings, keys }: RedisContext, producer: string): Promise<Heartbeat> {
  const args = [producer, settings.heartbeat, settings.expireKeyTime];
  const reply = (await connection.run(HEARTBEAT, keys.producers, args)) as string[];
  return { before: reply[0]!, now: reply[1]!, living: new Set(reply.slice(2)) };
}

/** Marks this producer as ended. */
export async function signOff({ connection, keys, producer }: RedisContext): Promise<void> {
  await connection.run(SIGN_OFF, keys.producers, [producer]);
}

/**
 * Compacts the fields of ended producers. A producer that signed off has no batch on its way, so it is compacted if it
 * has not come back within one `heartbeat`. A producer that did not sign off is compacted much later, see {@link
 * MIN_ABSENCE}. Several processes may compact at once.
 */
export async function compactEnded({ connection, settings, keys }: RedisContext): Promise<void> {
  const ages = [settings.heartbeat, Math.max(settings.expireKeyTime, MIN_ABSENCE)];
  const ended = (await connection.run(ENDED_PRODUCERS, keys.producers, ages)) as string[];
  if (ended.length === 0) return;
  const names = ended.map((producer) => JSON.stringify(producer));
  const index = (await connection.call('HGETALL', keys.families)) as string[];
  for (let i = 0; i < index.length; i += 2) {
    const family = parseDescriptor(index[i + 1]!);
    if (typeof family !== 'object') continue;
    try {
      for (let j = 0; j < names.length; j += PRODUCERS_AT_ONCE) {
        const some = names.slice(j, j + PRODUCERS_AT_ONCE);
        let cursor = '0';
        do {
          const args = [family.merge, cursor, rowsOfBlock(family.cells), ...some];
          cursor = (await connection.run(COMPACT, keys.numbers(index[i]!), args)) as string;
        } while (cursor !== '0');
      }
    } catch (error) {
      // Redis refuses a key of another type, for instance. The next flush or read of the family reports that.
      if (!isRefusal(error)) throw error;
    }
  }
  await connection.call('ZREM', keys.producers, ...ended);
}
