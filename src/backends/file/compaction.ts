/**
 * Compaction: the numbers of ended writers become one archive.
 *
 * The new archive is written beside the old one, synced and renamed over it; then the files are removed. Readers ignore
 * the files that the archive lists, so that a crash between any two steps changes no total.
 */
import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { link, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FamilyDescriptor } from '../../model/family.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { Writer } from '../backend.js';
import { accumulate, earlierTime } from '../merge.js';
import { ARCHIVE } from './directory.js';
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
import type { Mapping } from './mapping.js';
import type { MetricsFile } from './metrics-file.js';

/** File that is locked during a compaction. Never removed, since another process may be about to lock it. */
const LOCK = 'fold.lock';
/** File that exists while a process that cannot lock files compacts. */
const MARKER = 'fold.taken';
/** Age from which on a temporary file counts as left over from a crash. */
const ABANDONED_MS = 60_000;

/** Steps of a compaction in order, for tests that interrupt it. `unlinked` occurs once for each file. */
export type CompactionStep = 'locked' | 'encoded' | 'written' | 'synced' | 'renamed' | 'unlinked' | 'cleaned';

/**
 * Runs `compact` unless another process compacts in this directory.
 *
 * @throws the error of the file system
 */
export async function withCompactionLock(
  directory: string,
  mapping: Mapping,
  compact: () => Promise<void>,
): Promise<void> {
  const lock = join(directory, LOCK);
  const marker = join(directory, MARKER);
  // A process that can lock files uses the lock file, one that cannot uses the marker. Each creates its own file first
  // and then looks for the other one. Of two that start at once, at least one sees the other and does not compact.
  if (!mapping.hasLocks) {
    await withMarker(marker, async () => {
      if (!existsSync(lock)) await compact();
    });
    return;
  }
  const file = openSync(lock, 'a', 0o644);
  try {
    if (mapping.lock(file, 'exclusive') && (!existsSync(marker) || removeAbandoned(marker))) await compact();
  } finally {
    closeSync(file);
  }
}

/**
 * Calls `run` while the marker exists, unless another process has created the marker. A marker that a crash has left
 * behind is replaced.
 */
async function withMarker(path: string, run: () => Promise<void>): Promise<void> {
  removeAbandoned(path);
  try {
    closeSync(openSync(path, 'wx', 0o644));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  try {
    await run();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Writes the numbers of the previous archive and of ended processes into a new archive, and removes the files of these
 * processes.
 *
 * @throws the error of the file system; no total has changed then
 */
export async function compact(
  directory: string,
  archive: MetricsFile | undefined,
  ended: readonly MetricsFile[],
  onStep: (step: CompactionStep) => void = () => {},
): Promise<void> {
  if (archive?.fault === 'version') {
    throw Object.assign(new Error('the archive is of another version'), { code: 'version' });
  }
  const stillThere = new Set(readdirSync(directory));
  const left = [...(archive?.compacted ?? [])].filter((id) => stillThere.has(id + FILE_SUFFIX));
  const ids = [...left, ...ended.map(({ id }) => id)];
  const bytes = encodeArchive(archive === undefined ? ended : [archive, ...ended], ids);
  onStep('encoded');
  const path = join(directory, ARCHIVE);
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', 0o644);
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
  if (archive?.fault !== undefined) await link(path, `${path}.${Date.now()}.broken`);
  await rename(temporary, path);
  onStep('renamed');
  await syncDirectory(directory);
  for (const id of ids) {
    await unlink(join(directory, id + FILE_SUFFIX)).catch(ignoreMissing);
    onStep('unlinked');
  }
  for (const name of stillThere) if (name.endsWith('.tmp')) removeAbandoned(join(directory, name));
  onStep('cleaned');
}

/** Makes the rename durable before the old files are removed. */
async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot sync a directory.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}

/** Removes a file that a crash has left behind. Reports whether the name is free. */
function removeAbandoned(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs <= ABANDONED_MS) return false;
    rmSync(path, { force: true });
    return true;
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException);
    return true;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
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

const ARCHIVED: Pick<Writer, 'id' | 'live'> = { id: 'archive', live: false };

function encodeArchive(files: readonly MetricsFile[], ids: readonly string[]): Uint8Array {
  const families = new Map<string, CompactedFamily>();
  for (const file of files) for (const table of file.tables.values()) addTable(families, file, table);
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
    for (const { identity, cells, created } of series.values()) add(identity, number, cells, created);
  }
  if (used > MAX_BYTES) {
    throw Object.assign(new Error('the archive would be longer than 1 GiB'), { code: 'EFBIG' });
  }
  const bytes = new Bytes(new ArrayBuffer(used));
  writeHeader(bytes, { pid: 0, start: 0, bootId: '', pidNamespace: 0 }, CLOSED);
  let at = HEADER_BYTES;
  for (const { text, family, cells, created } of records) {
    bytes.cells.set(cells, writeRecord(bytes, at, text, family, cells.length, created));
    at += recordLength(text.length, cells.length);
  }
  setUsedBytes(bytes, used);
  return bytes.bytes;
}

/** Adds the series of a table. Live gauges are left out. Only series of the mode `all` still name their writer. */
function addTable(families: Map<string, CompactedFamily>, file: MetricsFile, table: FileTable): void {
  const { family, key, writer } = table;
  if (family.merge.startsWith('live')) return;
  const compacted = findOrCreate(families, key, () => ({ family, series: new Map() }));
  const owner = family.merge === 'all' ? { id: writer.id, live: false } : ARCHIVED;
  for (const { labels, cellIndex, created } of table.series()) {
    const identity: SeriesIdentity = { labels, writer: owner };
    const create = () => ({ identity, cells: new Float64Array(family.cells), created });
    const series = findOrCreate(compacted.series, JSON.stringify(identity), create);
    series.created = earlierTime(series.created, created);
    accumulate(family, series.cells, 0, file.content.cells, cellIndex, false);
  }
}
