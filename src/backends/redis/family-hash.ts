/**
 * The Redis hash of one family: its fields, the Lua code that all batch scripts share, and the replies to a batch.
 * `docs/reference/redis-keys.md` describes the whole layout.
 */
import { createHash } from 'node:crypto';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import { isStoredFamily } from '../../model/stored-family.js';
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

/** Reads a family descriptor; returns undefined for any other text. */
export function parseDescriptor(json: string): FamilyDescriptor | undefined {
  const content = parseJson(json);
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
 * Joins a producer to a hash, which is created if necessary. KEYS: the hash. ARGV: producer, seconds to live.
 *
 * Returns the token that the producer's batches carry: the identity of the hash and the number of this join. After the
 * hash was lost or the producer was compacted, a join returns a new token. A batch from before then arrives with the old
 * token, and is not applied. A producer that has joined already keeps its token, so a repeated call changes nothing.
 */
const JOIN = new Script(`
local key, field = KEYS[1], 'q:' .. ARGV[1]
local head = redis.call('HMGET', key, 't', field)
local identity, token = head[1], head[2] and string.match(head[2], '^(%S+) %d+$')
if not identity then
  local now = redis.call('TIME')
  identity = string.format('%s.%06d', now[1], now[2])
  redis.call('HSET', key, 't', identity)
end
if not token then
  local joins = (tonumber(redis.call('HGET', key, 'm') or 0) or 0) + 1
  token = identity .. '/' .. joins
  redis.call('HSET', key, field, token .. ' 0', 'm', joins)
end
redis.call('EXPIRE', key, ARGV[2])
return token
`);

/**
 * Start of every batch script. KEYS: the hash. ARGV: producer, token, sequence number, seconds to live.
 *
 * Ends the script with `lost` when the hash is not the one that the producer joined, with `unknown` when the hash does
 * not know the token, and with `seen` when the batch was applied before.
 */
export const BEGIN_BATCH = `
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
 * First write of every batch script. If Redis refuses writes, it refuses this one, and nothing of the batch is applied.
 * Redis does not refuse later writes of a script that has already written.
 */
export const RECORD_BATCH = `
redis.call('HSET', key, field, token .. ' ' .. ARGV[3])
redis.call('EXPIRE', key, ARGV[4])
`;

/** End of every batch script: returns `ok`, or `gap n` when the n batches before this one are missing. */
export const END_BATCH = `
return missing > 0 and 'gap ' .. missing or 'ok'
`;

/** The reply to a batch. Only `applied`, `seen` and `gap` mean that the hash contains it. */
export type Reply =
  | { readonly kind: 'applied' }
  /** Applied before: the earlier reply did not arrive. */
  | { readonly kind: 'seen' }
  /** Applied, but Redis no longer has the `missing` batches before it. */
  | { readonly kind: 'gap'; readonly missing: number }
  /** Not applied: rows of these blocks may belong to other series by now. */
  | { readonly kind: 'moved'; readonly blocks: ReadonlySet<number> }
  /** Not applied: the hash does not know the producer's token. */
  | { readonly kind: 'unknown' }
  /** Not applied: the hash that the producer joined is gone. */
  | { readonly kind: 'lost' };

function parseReply(text: string): Reply {
  const [kind, ...numbers] = text.split(' ');
  switch (kind) {
    case 'ok':
      return { kind: 'applied' };
    case 'gap':
      return { kind, missing: Number(numbers[0]) };
    case 'moved':
      return { kind, blocks: new Set(numbers.map(Number)) };
    case 'seen':
    case 'unknown':
    case 'lost':
      return { kind };
    default:
      throw new Error(`Redis sent an unexpected reply: ${text.slice(0, 80)}`);
  }
}

/** The access of this producer to the hash of one family. */
export class FamilyHash {
  /** Seconds after a write until the hash expires. */
  readonly expireKeyTime: number;
  readonly #context: RedisContext;
  readonly #key: string;

  constructor(context: RedisContext, familyId: string) {
    this.expireKeyTime = context.settings.expireKeyTime;
    this.#context = context;
    this.#key = context.keys.numbers(familyId);
  }

  /** Joins the producer and returns its token. */
  async join(): Promise<string> {
    return (await this.run(JOIN, [this.#context.producer, this.expireKeyTime])) as string;
  }

  /** Runs a batch script. It gets the arguments of {@link BEGIN_BATCH}, then `args`. */
  async send(script: Script, token: string, sequence: number, args: readonly Argument[]): Promise<Reply> {
    const all = [this.#context.producer, token, sequence, this.expireKeyTime, ...args];
    return parseReply((await this.run(script, all)) as string);
  }

  run(script: Script, args: readonly Argument[]): Promise<unknown> {
    return this.#context.connection.run(script, this.#key, args);
  }
}
