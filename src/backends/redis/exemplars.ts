/**
 * Exemplars in Redis. One field of a family's hash holds the newest exemplar of each cell, one exemplar per line,
 * limited to the newest {@link MAX_LINES} lines. A line consists of these values, separated by tabs:
 *
 * time in Unix seconds, producer, value, labels as JSON, index of the cell, label text of the series
 *
 * Exemplars are not part of batches, since a repeated or lost line does not change any number.
 */
import type { Exemplar, FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { storedExemplar } from '../../model/stored-family.js';
import { ExemplarTable } from '../exemplar-table.js';
import { Script } from './connection.js';
import type { RedisContext } from './family-hash.js';

const MAX_LINES = 1000;
/** Maximum number of lines and removed series in one call, taken together. */
const MAX_AT_ONCE = 200;

/**
 * Adds a producer's new exemplars to the field, and deletes the exemplars of the series that the producer has removed.
 * KEYS: the hash. ARGV: producer, seconds to live, number of removed series, their label texts, then the new lines.
 *
 * Drops lines with a time in the future, since they would hide newer exemplars. For a removed series, deletes the
 * stored lines of this producer and of producers without a `q:` field. Returns `lost` and changes nothing if the
 * producer has not joined the hash.
 */
const PUT = new Script(`
local key, producer = KEYS[1], ARGV[1]
if not redis.call('HGET', key, 'q:' .. producer) then return 'lost' end
local first, latest = 4 + ARGV[3], tonumber(redis.call('TIME')[1]) + 60
local removed, newest, all = {}, {}, {}
for i = 4, first - 1 do removed[ARGV[i]] = true end
local function put(line, isNew)
  local time, owner, cell, series = string.match(line, '^([^\\t]*)\\t([^\\t]*)\\t[^\\t]*\\t[^\\t]*\\t(%d+)\\t(.*)$')
  local at = tonumber(time)
  if not (at and at <= latest) then return end
  if not isNew and removed[series] then
    if owner == producer or not redis.call('HGET', key, 'q:' .. owner) then return end
  end
  local id = cell .. ' ' .. series
  if not newest[id] or newest[id].at <= at then newest[id] = { at = at, line = line } end
end
for line in string.gmatch(redis.call('HGET', key, 'e') or '', '[^\\n]+') do put(line, false) end
for i = first, #ARGV do put(ARGV[i], true) end
for _, one in pairs(newest) do all[#all + 1] = one end
table.sort(all, function(a, b) return a.at > b.at end)
local lines = {}
for i = 1, math.min(#all, ${MAX_LINES}) do lines[i] = all[i].line end
redis.call('HSET', key, 'e', table.concat(lines, '\\n'))
redis.call('EXPIRE', key, ARGV[2])
return 'ok'
`);

/** The exemplars of one family that this producer has not yet sent to Redis. */
export class ExemplarOutbox {
  /** Unsent exemplars by cell and label text. `rest` is the part of the line after the producer. */
  readonly #changed = new Map<string, { readonly time: number; readonly rest: string }>();
  /** Label texts of the series for which exemplars were put. Removed series move to `#removed` until the next flush. */
  readonly #offered = new Set<string>();
  readonly #removed = new Set<string>();

  /** @param text - the label text of the series */
  put(text: string, cell: number, { labels, value, timestamp = 0 }: Exemplar): void {
    this.#offered.add(text);
    const series = `${cell}\t${text}`;
    const known = this.#changed.get(series);
    if (known !== undefined && known.time > timestamp) return;
    this.#changed.delete(series);
    this.#changed.set(series, { time: timestamp, rest: `${value}\t${JSON.stringify(labels)}\t${series}` });
    if (this.#changed.size > MAX_LINES) this.#changed.delete(this.#changed.keys().next().value!);
  }

  /** Removes the exemplars of a series. @param cells - the number of its cells */
  remove(text: string, cells: number): void {
    if (!this.#offered.delete(text)) return;
    for (let cell = 0; cell < cells; cell++) this.#changed.delete(`${cell}\t${text}`);
    this.#removed.add(text);
  }

  /** Sends changed exemplars and removals. @param key - the key of the family's hash */
  async flush({ connection, producer, settings }: RedisContext, key: string): Promise<void> {
    while (this.#changed.size + this.#removed.size > 0) {
      const removed = [...this.#removed].slice(0, MAX_AT_ONCE);
      const changed = [...this.#changed].slice(0, MAX_AT_ONCE - removed.length);
      const lines = changed.map(([, { time, rest }]) => `${time}\t${producer}\t${rest}`);
      const args = [producer, settings.expireKeyTime, removed.length, ...removed, ...lines];
      if ((await connection.run(PUT, key, args)) !== 'ok') return;
      for (const text of removed) this.#removed.delete(text);
      for (const [id, sent] of changed) if (this.#changed.get(id) === sent) this.#changed.delete(id);
    }
  }
}

const LINE = /^([^\t]*)\t[^\t]*\t([^\t]*)\t([^\t]*)\t((\d+)\t(.*))$/s;

/** Reads the exemplars of one family. */
export class ExemplarReader {
  readonly #family: FamilyDescriptor;
  readonly #table = new ExemplarTable();
  /** Page that identifies the lines of this reader in the table. */
  readonly #page = new Float64Array(0);
  #content = '';
  /** The lines in the table and their offsets in `#page`, by cell and label text. */
  #known = new Map<string, { readonly line: string; readonly offset: number }>();
  #next = 0;

  constructor(family: FamilyDescriptor) {
    this.#family = family;
  }

  /** Updates the table from the content of the field. Ignores invalid lines. */
  update(content: string): void {
    if (content === this.#content) return;
    this.#content = content;
    const known = this.#known;
    this.#known = new Map();
    for (const line of content.split('\n', MAX_LINES)) {
      const [, time, value, labels, id, cell, text] = LINE.exec(line) ?? [];
      if (id === undefined || this.#known.has(id)) continue;
      const before = known.get(id);
      const offset = before?.offset ?? this.#next++;
      this.#known.set(id, { line, offset });
      known.delete(id);
      if (before?.line === line) continue;
      const given = { labels: parse(labels!), value: Number(value), timestamp: Number(time) };
      const exemplar = storedExemplar(this.#family, Number(cell), given);
      const cells = { page: this.#page, offset };
      if (exemplar === undefined) this.#table.release(cells);
      else this.#table.put(this.#family, cells, Number(cell), exemplar, () => text!);
    }
    for (const { offset } of known.values()) this.#table.release({ page: this.#page, offset });
  }

  /** Returns a copy of a snapshot that includes the exemplars of its rows. */
  async addTo(snapshot: FamilySnapshot): Promise<FamilySnapshot> {
    return (await this.#table.addTo([snapshot]))[0]!;
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
