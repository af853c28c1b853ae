/** Reading many fields of a hash in parts, since the client decodes a large reply without a pause. */
import { matchesLabels } from '../../model/labels.js';
import type { LabelPattern } from '../backend.js';
import { Script } from './connection.js';
import { CHECK_FORMAT, parseTexts, type RedisContext } from './family-hash.js';

/** Prefix of a field that holds the row of a series. The label values follow as JSON. */
export const ROW_FIELD = 'r:';

/** Number of fields of one part, approximately. */
const FIELDS_AT_ONCE = 2000;
/** Maximum attempts to read in parts while fields are moved. After them, the hash is read at once. */
const MAX_TRIES = 3;

/**
 * Returns a part of a hash, without the tokens and shares of producers. KEYS: the hash. ARGV: cursor, number of fields,
 * and seconds to live. The reply consists of the next cursor, which is `0` at the end; a text that differs after any
 * fields were moved; and alternating fields and values.
 *
 * Scans with a script, since a client may send other commands to any replica, where the cursor has another meaning.
 */
const SCAN = new Script(`${CHECK_FORMAT}
redis.pcall('EXPIRE', KEYS[1], ARGV[3])
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'MATCH', '[^oq]*', 'COUNT', ARGV[2])
local state = redis.call('HMGET', KEYS[1], 't', 'v', 'k')
for i = 1, 3 do state[i] = state[i] or '' end
return { found[1], table.concat(state, ' '), found[2] }
`);

/**
 * Yields a hash in parts, each an array of alternating fields and values. Yields undefined if fields were moved: the
 * caller must then discard all previous parts, and the read starts over. A field may occur twice. The values of a large
 * hash may be from different moments, but none is missing.
 */
export async function* readParts(
  { connection, settings }: RedisContext,
  key: string,
): AsyncGenerator<string[] | undefined, void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    let first: string | undefined;
    let cursor = '0';
    do {
      const args = [cursor, FIELDS_AT_ONCE, settings.expireKeyTime];
      const [next, state, part] = (await connection.run(SCAN, key, args)) as [string, string, string[]];
      first ??= state;
      if (state !== first) break;
      yield part;
      cursor = next;
      if (cursor === '0') return;
    } while (true);
    yield undefined;
  }
  yield (await connection.call('HGETALL', key)) as string[];
}

/** Returns all fields of a hash, each followed by its value. Reads them like {@link readParts}. */
export async function readFields(context: RedisContext, key: string): Promise<string[]> {
  let fields: string[] = [];
  for await (const part of readParts(context, key)) {
    if (part === undefined) fields = [];
    else for (const text of part) fields.push(text);
  }
  return fields;
}

/** Returns the labels, as JSON, of the rows in a hash that match. */
export async function findRows(
  context: RedisContext,
  key: string,
  patterns: readonly LabelPattern[],
): Promise<string[]> {
  const isComplete = (pattern: LabelPattern) => !pattern.includes(undefined);
  if (!patterns.every(isComplete)) {
    const rows: string[] = [];
    const fields = await readFields(context, key);
    for (let i = 0; i < fields.length; i += 2) {
      const labels = fields[i]!.startsWith(ROW_FIELD)
        ? parseTexts(fields[i]!.slice(ROW_FIELD.length))
        : undefined;
      if (labels !== undefined && patterns.some((pattern) => matchesLabels(labels, pattern)))
        rows.push(JSON.stringify(labels));
    }
    return rows;
  }
  const rows: string[] = [];
  for (let i = 0; i < patterns.length; i += FIELDS_AT_ONCE) {
    const some = patterns.slice(i, i + FIELDS_AT_ONCE).map((labels) => JSON.stringify(labels));
    const fields = some.map((labels) => ROW_FIELD + labels);
    const found = (await context.connection.call('HMGET', key, ...fields)) as (string | null)[];
    rows.push(...some.filter((_, j) => found[j] !== null));
  }
  return rows;
}
