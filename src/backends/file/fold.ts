/**
 * Folding: the files of writers that are gone become one archive.
 *
 * The new archive is written beside the old one, synced, and renamed into its place; then the files are
 * removed. It lists whose numbers it holds, and readers leave those files alone, so a crash between any two
 * steps changes no total.
 */
import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { link, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FamilyDescriptor } from '../../model/family.js';
import type { Writer } from '../backend.js';
import { accumulate, older } from '../merge.js';
import { ARCHIVE } from './directory.js';
import type { FileTable } from './file-table.js';
import {
  Bytes,
  CLOSED,
  DECLARES,
  FILE_SUFFIX,
  FOLDED,
  HEADER_BYTES,
  MOST_BYTES,
  recordLength,
  type SeriesIdentity,
  setUsedBytes,
  writeHeader,
  writeRecord,
} from './layout.js';
import type { Mapping } from './mapping.js';
import type { MetricsFile } from './reader.js';

/** Locked by who folds. Never removed: another process may be waiting with the same file open. */
const LOCK = 'fold.lock';
/** There while a process folds that has no locks. */
const TAKEN = 'fold.taken';
/** A file that a fold or a writer makes for a moment is left over from a crash after so long. */
const ABANDONED_MS = 60_000;

/** What a fold has just done, in this order; `unlinked` once for each file. For tests that stop it there. */
export type FoldStep = 'locked' | 'encoded' | 'written' | 'synced' | 'renamed' | 'unlinked' | 'cleaned';

/**
 * Does `fold` while no other process folds in this directory. Returns false when another does.
 *
 * @throws what the file system throws
 */
export async function withFoldLock(
  directory: string,
  mapping: Mapping,
  fold: () => Promise<void>,
): Promise<boolean> {
  const lock = join(directory, LOCK);
  const taken = join(directory, TAKEN);
  // Of two who come at the same moment, each makes its own mark first and then looks for the other's.
  if (!mapping.hasLocks) return withTaken(taken, () => (existsSync(lock) ? undefined : fold()));
  const file = openSync(lock, 'a', 0o644);
  try {
    if (!mapping.lock(file, 'exclusive') || (existsSync(taken) && !removeAbandoned(taken))) return false;
    await fold();
    return true;
  } finally {
    closeSync(file);
  }
}

/** Making the file is the lock; one left behind is taken over when it is old. */
async function withTaken(path: string, run: () => Promise<void> | undefined): Promise<boolean> {
  removeAbandoned(path);
  try {
    closeSync(openSync(path, 'wx', 0o644));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    const running = run();
    await running;
    return running !== undefined;
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Writes the numbers of `gone` and of the archive before into a new archive, and removes the files of `gone`.
 *
 * @throws what the file system throws; no total has changed then
 */
export async function fold(
  directory: string,
  archive: MetricsFile | undefined,
  gone: readonly MetricsFile[],
  onStep: (step: FoldStep) => void = () => {},
): Promise<void> {
  if (archive?.fault === 'version') {
    throw Object.assign(new Error('the archive is of another version'), { code: 'version' });
  }
  const stillThere = new Set(readdirSync(directory));
  const before = [...(archive?.folded ?? [])].filter((id) => stillThere.has(id + FILE_SUFFIX));
  const bytes = encodeArchive(archive === undefined ? gone : [archive, ...gone], [
    ...before,
    ...gone.map(({ id }) => id),
  ]);
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
  // What can be read of a broken archive is in the new one; the rest is for somebody to look at.
  if (archive?.fault !== undefined) await link(path, `${path}.${Date.now()}.broken`);
  await rename(temporary, path);
  onStep('renamed');
  await syncDirectory(directory);
  for (const id of [...before, ...gone.map(({ id }) => id)]) {
    await unlink(join(directory, id + FILE_SUFFIX)).catch(ignoreMissing);
    onStep('unlinked');
  }
  for (const name of stillThere) if (name.endsWith('.tmp')) removeAbandoned(join(directory, name));
  onStep('cleaned');
}

/** So that the new name is there after a power cut, before the old ones are taken away. */
async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot, and need not.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what a crash has left behind; says whether it did. */
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

/** Series of one family, by identity. */
interface FoldedFamily {
  readonly family: FamilyDescriptor;
  readonly series: Map<string, FoldedSeries>;
}

interface FoldedSeries {
  readonly identity: SeriesIdentity;
  readonly cells: Float64Array;
  created: number;
}

const ARCHIVED: Pick<Writer, 'id' | 'live'> = { id: 'archive', live: false };

function encodeArchive(files: readonly MetricsFile[], ids: readonly string[]): Uint8Array {
  const families = new Map<string, FoldedFamily>();
  for (const file of files) for (const table of file.tables()) addTable(families, file, table);
  const encoder = new TextEncoder();
  const records: { text: Uint8Array; family: number; cells: Float64Array; created?: number }[] = [
    { text: encoder.encode(JSON.stringify(ids)), family: FOLDED, cells: new Float64Array(0) },
  ];
  let number = 0;
  for (const { family, series } of families.values()) {
    records.push({
      text: encoder.encode(JSON.stringify(family)),
      family: DECLARES,
      cells: new Float64Array(0),
    });
    for (const { identity, cells, created } of series.values()) {
      records.push({ text: encoder.encode(JSON.stringify(identity)), family: number, cells, created });
    }
    number += 1;
  }
  const used = records.reduce(
    (sum, { text, cells }) => sum + recordLength(text.length, cells.length),
    HEADER_BYTES,
  );
  if (used > MOST_BYTES) {
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

/** Values of live gauges end with their writer. Series of mode `all` stay those of their writer. */
function addTable(families: Map<string, FoldedFamily>, file: MetricsFile, table: FileTable): void {
  const { family, key, writer } = table;
  if (family.merge.startsWith('live')) return;
  let folded = families.get(key);
  if (folded === undefined) {
    folded = { family, series: new Map() };
    families.set(key, folded);
  }
  const owner = family.merge === 'all' ? { id: writer.id, live: false } : ARCHIVED;
  for (const { labels, cellIndex, created } of table.series()) {
    const identity: SeriesIdentity = { labels, writer: owner };
    const name = JSON.stringify(identity);
    let series = folded.series.get(name);
    if (series === undefined) {
      series = { identity, cells: new Float64Array(family.cells), created };
      folded.series.set(name, series);
    }
    series.created = older(series.created, created);
    accumulate(family, series.cells, 0, file.content.cells, cellIndex, false);
  }
}
