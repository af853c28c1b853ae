/** Reading many fields of a hash in parts, since the client decodes a large reply without a pause. */
import { matchesLabels } from '../../model/labels.js';
import type { LabelPattern } from '../backend.js';
import { type Connection, Script } from './connection.js';
import { CHECK_FORMAT, parseTexts } from './family-hash.js';

/** Prefix of a field that holds the row of a series. The label values follow as JSON. */
export const ROW_FIELD = 'r:';

/** Number of fields of one part, approximately. */
const FIELDS_AT_ONCE = 2000;
/** Maximum attempts to read in parts while fields are moved. After them, the hash is read at once. */
const MAX_TRIES = 3;

/**
 * Returns a part of a hash, without the tokens and shares of producers. KEYS: the hash. ARGV: cursor, and number of
 * fields. The reply has the next cursor, `0` at the end; the fields that change when other fields are moved; and fields
 * and values in turn.
 *
 * Scans with a script, since a client may send other commands to any replica, where the cursor has another meaning.
 */
const SCAN = new Script(`${CHECK_FORMAT}
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'MATCH', '[^oq]*', 'COUNT', ARGV[2])
local state = redis.call('HMGET', KEYS[1], 't', 'v', 'k')
for i = 1, 3 do state[i] = state[i] or '' end
return { found[1], table.concat(state, ' '), found[2] }
`);

/**
 * Returns fields and values in turn. Fields may occur twice. Values of a large hash may be of different moments, but
 * no value is missing, even if it was moved during the scan.
 */
export async function readFields(connection: Connection, key: string): Promise<string[]> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const hash: string[] = [];
    let first: string | undefined;
    let cursor = '0';
    for (;;) {
      const args = [cursor, FIELDS_AT_ONCE];
      const [next, state, fields] = (await connection.run(SCAN, key, args)) as [string, string, string[]];
      first ??= state;
      if (state !== first) break;
      for (const text of fields) hash.push(text);
      cursor = next;
      if (cursor === '0') return hash;
    }
  }
  return (await connection.call('HGETALL', key)) as string[];
}

/** Returns the labels, as JSON, of the rows in a hash that match. */
export async function findRows(
  connection: Connection,
  key: string,
  patterns: readonly LabelPattern[],
): Promise<string[]> {
  const isComplete = (pattern: LabelPattern) => !pattern.includes(undefined);
  if (!patterns.every(isComplete)) {
    const rows: string[] = [];
    const fields = await readFields(connection, key);
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
    const found = (await connection.call('HMGET', key, ...fields)) as (string | null)[];
    rows.push(...some.filter((_, j) => found[j] !== null));
  }
  return rows;
}
