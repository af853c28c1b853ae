/**
 * The Redis hash of one family: its fields, the Lua code that all batch scripts share, and the replies to a batch.
 * `docs/reference/redis-keys.md` describes the whole layout.
 */
import { createHash } from 'node:crypto';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import { isStoredFamily } from '../../model/stored-family.js';
import type { ServerClock } from '../../system/clock.js';
import type { Argument, Settings } from './config.js';
import { type Connection, Script } from './connection.js';
import type { RedisStatus } from './status.js';

/** Returns the names of the keys under one prefix. */
export const keysOf = (prefix: string) => ({
  /** Sorted set: producers, by the time of their last heartbeat. */
  producers: `${prefix}:producers`,
  /** Hash: family descriptors as JSON, by family id. */
  families: `${prefix}:families`,
  /**
   * Hash of one family. In a cluster, the text in braces determines the hash slot, so families spread over all nodes.
   */
  numbers: (familyId: string) => `${prefix}:{${familyId}}`,
});

/** Everything that the parts of one open backend share. */
export interface RedisContext {
  /** Name of this producer, unique among all programs. */
  readonly producer: string;
  readonly connection: Connection;
  readonly settings: Settings;
  readonly keys: ReturnType<typeof keysOf>;
  readonly status: RedisStatus;
  readonly clock: ServerClock;
}

const familyIds = new WeakMap<FamilyDescriptor, string>();

/** Returns a short name of a family, equal in all programs that define it. */
export function familyId(family: FamilyDescriptor): string {
  let id = familyIds.get(family);
  if (id === undefined) {
    id = createHash('sha1').update(familyKey(family)).digest('hex').slice(0, 16);
    familyIds.set(family, id);
  }
  return id;
}

/** Fields that describe the hash itself. */
export const HEAD = {
  /** Unix seconds at which the hash was made. They distinguish it from an earlier hash under the same key. */
  identity: 't',
  /** Number of joins so far, by all producers. */
  joins: 'm',
  /** The latest generation of any block; `sum-blocks.ts` explains generations. */
  version: 'v',
} as const;

/** Reads a JSON array of strings; returns undefined for anything else. */
export function parseTexts(json: string): string[] | undefined {
  const texts = parseJson(json);
  return isTexts(texts) ? texts : undefined;
}

/**
 * Format of descriptors and hashes. Later versions of the package may write others, which they state in the property
 * `format` of a descriptor and in the field `d` of a hash.
 */
const FORMAT = 1;

/** Lua: start of a script, which fails if the hash has a later format. KEYS: the hash. */
export const CHECK_FORMAT = `
if (tonumber(redis.call('HGET', KEYS[1], 'd') or ${FORMAT}) or ${FORMAT}) > ${FORMAT} then
  return redis.error_reply('ERR it was written by a newer version of the package')
end
`;

/** Reads a family descriptor. Returns `newer` for one of a later format, and undefined for any other text. */
export function parseDescriptor(json: string): FamilyDescriptor | 'newer' | undefined {
  const content = parseJson(json) as { readonly format?: unknown } | null | undefined;
  if (Number(content?.format ?? FORMAT) > FORMAT) return 'newer';
  return isStoredFamily(content) ? content : undefined;
}

const isTexts = (texts: unknown): texts is string[] =>
  Array.isArray(texts) && texts.every((text) => typeof text === 'string');

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/**
 * Joins a producer to a hash, which is created if necessary. KEYS: the hash. ARGV: producer, seconds to live, and a
 * number that grows with each join of the producer.
 *
 * Gives the producer a new token, which all its later batches carry. The token consists of the identity of the hash, an
 * `s` to state that the producer keeps shares, and the number of the join. Batches of the producer with an older token
 * are no longer applied, even if they are already in transit. Returns the token, the producer's field before the join
 * (empty if there was none), and `1` if the producer was compacted, otherwise `0`. A join that arrives after a later
 * join returns nothing and changes nothing.
 */
const JOIN = new Script(`${CHECK_FORMAT}
local key, producer, field = KEYS[1], ARGV[1], 'q:' .. ARGV[1]
local head = redis.call('HMGET', key, 't', field, 'c')
local identity, before = head[1], head[2] or ''
if tonumber(string.match(before, '^%S+/(%d+) %d+$') or 0) >= tonumber(ARGV[3]) then return {} end
if not string.match(identity or '', '^%d+%.%d+$') then
  local now = redis.call('TIME')
  identity = string.format('%s.%06d', now[1], now[2])
  redis.call('HSET', key, 't', identity)
end
local token = identity .. '/s/' .. ARGV[3]
redis.call('HSET', key, field, token .. ' 0')
if before == '' then
  redis.call('HSET', key, 'm', (tonumber(redis.call('HGET', key, 'm') or 0) or 0) + 1)
end
redis.call('EXPIRE', key, ARGV[2])
local wasCompacted = '0'
for name in string.gmatch(head[3] or '', '%S+') do
  if name == string.sub(producer, -8) then wasCompacted = '1' end
end
return { token, before, wasCompacted }
`);

/** A producer that has joined a hash. */
export interface Joined {
  readonly token: string;
  /** The producer's field before the join: the token and number of its last batch. Empty if there was none. */
  readonly before: string;
  /** Whether this producer was compacted. The sums then contain its numbers like those of an ended producer. */
  readonly wasCompacted: boolean;
}

/** Maximum shares that one call returns. */
const MAX_SHARES = 256;

/** Returns a producer's shares of blocks. KEYS: the hash. ARGV: the producer, and the numbers of the blocks. */
const READ_SHARES = new Script(`
local names = {}
for i = 2, #ARGV do names[#names + 1] = 'o:' .. ARGV[1] .. ':' .. ARGV[i] end
return redis.call('HMGET', KEYS[1], unpack(names))
`);

/**
 * Start of every batch script. KEYS: the hash. ARGV: producer, token, sequence number, seconds to live.
 *
 * Ends the script with `lost` when the hash is not the one that the producer joined, with `unknown` when the hash does
 * not know the token or does not have the batches before, and with `seen` when the batch was applied before.
 */
export const BEGIN_BATCH = `
local key, field = KEYS[1], 'q:' .. ARGV[1]
local head = redis.call('HMGET', key, 't', field)
local token, last = string.match(head[2] or '', '^(%S+) (%d+)$')
if token ~= ARGV[2] then
  return head[1] and head[1] == string.match(ARGV[2], '^[^/]+') and 'unknown' or 'lost'
end
if tonumber(ARGV[3]) <= tonumber(last) then return 'seen' end
if tonumber(ARGV[3]) > tonumber(last) + 1 then return 'unknown' end
`;

/**
 * First write of every batch script. If Redis refuses writes, it refuses this one, and nothing of the batch is applied.
 * Redis does not refuse later writes of a script that has already written.
 */
export const RECORD_BATCH = `
redis.call('HSET', key, field, token .. ' ' .. ARGV[3])
redis.call('EXPIRE', key, ARGV[4])
`;

/** The reply to a batch. Only `ok` and `seen` mean that the hash contains it. */
export interface Reply {
  /**
   * - `ok`: applied
   * - `seen`: applied before; the earlier reply did not arrive
   * - `moved`: rows in `blocks` belong to other series now
   * - `unknown`: the hash does not know the token of the producer, or does not have earlier batches
   * - `lost`: the hash that the producer joined is gone
   */
  readonly kind: 'ok' | 'seen' | 'moved' | 'unknown' | 'lost';
  readonly blocks: ReadonlySet<number>;
}

const REPLIES: readonly string[] = ['ok', 'seen', 'moved', 'unknown', 'lost'] satisfies Reply['kind'][];

/** Reply of a lookup that found a hash other than the joined one. */
export const LOST: Reply = { kind: 'lost', blocks: new Set() };

function parseReply(text: string): Reply {
  const [kind, ...numbers] = text.split(' ');
  if (!REPLIES.includes(kind!)) throw new Error(`Redis sent an unexpected reply: ${text.slice(0, 80)}`);
  return { kind: kind as Reply['kind'], blocks: new Set(numbers.map(Number)) };
}

/** The access of this producer to the hash of one family. */
export class FamilyHash {
  /** Seconds after a write until the hash expires. */
  readonly expireKeyTime: number;
  readonly key: string;
  readonly connection: Connection;
  readonly context: RedisContext;
  readonly #producer: string;

  constructor(context: RedisContext, familyId: string) {
    this.context = context;
    this.expireKeyTime = context.settings.expireKeyTime;
    this.key = context.keys.numbers(familyId);
    this.connection = context.connection;
    this.#producer = context.producer;
  }

  /**
   * Joins the producer. Resolves with undefined if a later join has arrived.
   *
   * @param join - the number of the join, greater than those of all earlier joins of this producer
   */
  async join(join: number): Promise<Joined | undefined> {
    const args = [this.#producer, this.expireKeyTime, join];
    const [token, before, wasCompacted] = (await this.run(JOIN, args)) as string[];
    return token === undefined ? undefined : { token, before: before!, wasCompacted: wasCompacted === '1' };
  }

  /** Reads the producer's shares of blocks. */
  async readShares(blocks: readonly number[]): Promise<Map<number, Buffer>> {
    const shares = new Map<number, Buffer>();
    for (let i = 0; i < blocks.length; i += MAX_SHARES) {
      const some = blocks.slice(i, i + MAX_SHARES);
      const args = [this.#producer, ...some];
      const found = (await this.connection.runForBytes(READ_SHARES, this.key, args)) as (Buffer | null)[];
      for (const [j, share] of found.entries()) if (share !== null) shares.set(some[j]!, share);
    }
    return shares;
  }

  /** Runs a batch script. It gets the arguments of {@link BEGIN_BATCH}, then `args`. */
  async send(script: Script, token: string, sequence: number, args: readonly Argument[]): Promise<Reply> {
    const all = [this.#producer, token, sequence, this.expireKeyTime, ...args];
    return parseReply((await this.run(script, all)) as string);
  }

  run(script: Script, args: readonly Argument[]): Promise<unknown> {
    return this.connection.run(script, this.key, args);
  }
}
