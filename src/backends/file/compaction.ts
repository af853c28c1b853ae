/**
 * Compaction: the numbers of ended writers become one archive.
 *
 * The new archive is written beside the old one, synced and renamed over it; then the files are removed. Readers ignore
 * the files that the archive lists, so that a crash between any two steps changes no total.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { link, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FamilyDescriptor } from '../../model/family.js';
import { findOrCreate } from '../../system/find-or-create.js';
import { isMissing } from '../../system/regular-file.js';
import { runInSlices, TimeSlice } from '../../system/time-slice.js';
import type { Writer } from '../backend.js';
import { accumulate, earlierTime, moveFutureTimes } from '../merge.js';
import { removeAbandoned } from './compaction-lock.js';
import { ARCHIVE, ARCHIVE_ID } from './directory.js';
import type { FileTable } from './file-table.js';
import {
  Bytes,
  CLOSED,
  COMPACTED,
  DECLARES,
  FILE_SUFFIX,
  HEADER_BYTES,
  MAX_BYTES,
  recordLength,
  type SeriesIdentity,
  setUsedBytes,
  writeHeader,
  writeRecord,
} from './layout.js';
import type { MetricsFile } from './metrics-file.js';
import { Removals } from './removals.js';

/** Number of series that are encoded between two looks at the clock. */
const SERIES_AT_ONCE = 64;
/** Steps of a compaction in order, for tests that interrupt it. `unlinked` occurs once for each file. */
export type CompactionStep = 'locked' | 'encoded' | 'written' | 'synced' | 'renamed' | 'unlinked' | 'cleaned';

/**
 * Writes the numbers of the previous archive and of ended processes into a new archive, and removes the files of these
 * processes. Series in `removals` are left out.
 *
 * @throws the error of the file system, also when a file could not be removed; no total has changed then
 */
export async function compact(
  directory: string,
  archive: MetricsFile | undefined,
  ended: readonly MetricsFile[],
  removals = new Removals(),
  onStep: (step: CompactionStep) => void = () => {},
): Promise<void> {
  if (archive?.fault === 'version' || archive?.hasLaterRecords) {
    throw Object.assign(new Error('a later version of metheus has written the archive'), { code: 'version' });
  }
  const stillThere = new Set(readdirSync(directory));
  const before = [...(archive?.compacted ?? [])].filter((id) => stillThere.has(id + FILE_SUFFIX));
  const ids = [...before, ...ended.map(({ id }) => id)];
  const encoding = encodeArchive(archive === undefined ? ended : [archive, ...ended], ids, removals);
  const bytes = await runInSlices(encoding, new TimeSlice());
  onStep('encoded');
  const path = join(directory, ARCHIVE);
  // A new file with a random name, so that an existing file or link is never written.
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    onStep('written');
    await file.sync();
    onStep('synced');
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  // A broken archive is kept under another name, for inspection. The new one contains its readable records.
  if (archive !== undefined && (archive.fault !== undefined || archive.refused > 0))
    await link(path, `${path}.${Date.now()}.broken`);
  await rename(temporary, path);
  onStep('renamed');
  await syncDirectory(directory);
  const left: unknown[] = [];
  const leave = (error: unknown) => void (isMissing(error) || left.push(error));
  for (const id of ids) {
    await unlink(join(directory, id + FILE_SUFFIX)).catch(leave);
    onStep('unlinked');
  }
  for (const name of stillThere) {
    if (!name.endsWith('.tmp')) continue;
    try {
      removeAbandoned(join(directory, name));
    } catch (error) {
      leave(error);
    }
  }
  onStep('cleaned');
  if (left.length > 0) throw left[0];
}

/** Makes the rename durable before the old files are removed. */
async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot sync a directory.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}

/** The series of one family, by identity. */
interface CompactedFamily {
  readonly family: FamilyDescriptor;
  readonly series: Map<string, CompactedSeries>;
}

interface CompactedSeries {
  readonly identity: SeriesIdentity;
  readonly cells: Float64Array;
  created: number;
}

const ARCHIVED: Pick<Writer, 'id' | 'live'> = { id: ARCHIVE_ID, live: false };

/** Returns the bytes of an archive. Work for `runInSlices`: the files of ended processes do not change meanwhile. */
function* encodeArchive(
  files: readonly MetricsFile[],
  ids: readonly string[],
  removals: Removals,
): Generator<void, Uint8Array> {
  const families = new Map<string, CompactedFamily>();
  for (const file of files) {
    for (const table of file.tables.values()) yield* addTable(families, table, removals);
  }
  const encoder = new TextEncoder();
  const records: { text: Uint8Array; family: number; cells: Float64Array; created: number | undefined }[] =
    [];
  let used = HEADER_BYTES;
  const add = (
    content: object,
    family: number,
    cells: Float64Array = new Float64Array(0),
    created?: number,
  ) => {
    const text = encoder.encode(JSON.stringify(content));
    records.push({ text, family, cells, created });
    used += recordLength(text.length, cells.length);
  };
  add(ids, COMPACTED);
  for (const [number, { family, series }] of [...families.values()].entries()) {
    add(family, DECLARES);
    let added = 0;
    for (const { identity, cells, created } of series.values()) {
      add(identity, number, cells, created);
      added += 1;
      if (added % SERIES_AT_ONCE === 0) yield;
    }
    yield;
  }
  if (used > MAX_BYTES) {
    throw Object.assign(new Error('the archive would be longer than 1 GiB'), { code: 'EFBIG' });
  }
  const bytes = new Bytes(new ArrayBuffer(used));
  writeHeader(bytes, { pid: 0, start: 0, bootId: '', pidNamespace: 0 }, CLOSED);
  let at = HEADER_BYTES;
  for (const [i, { text, family, cells, created }] of records.entries()) {
    bytes.cells.set(cells, writeRecord(bytes, at, text, family, cells.length, created));
    at += recordLength(text.length, cells.length);
    if (i % SERIES_AT_ONCE === 0) yield;
  }
  setUsedBytes(bytes, used);
  return bytes.bytes;
}

/** Adds the series of a table. Live gauges are left out. Only series of the mode `all` still name their writer. */
function* addTable(
  families: Map<string, CompactedFamily>,
  table: FileTable,
  removals: Removals,
): Generator<void, void> {
  const { family, key, writer } = table;
  if (family.merge.startsWith('live')) return;
  const compacted = findOrCreate(families, key, () => ({ family, series: new Map() }));
  const owner = family.merge === 'all' ? { id: writer.id, live: false } : ARCHIVED;
  const values = moveFutureTimes(family, table.values());
  for (const { labels, row, created } of table.series()) {
    if (row % SERIES_AT_ONCE === 0) yield;
    if (removals.has(key, labels)) continue;
    const identity: SeriesIdentity = { labels, writer: owner };
    const create = () => ({ identity, cells: new Float64Array(family.cells), created });
    const series = findOrCreate(compacted.series, JSON.stringify(identity), create);
    series.created = earlierTime(series.created, created);
    accumulate(family, series.cells, 0, values, row * family.cells, false);
  }
}
