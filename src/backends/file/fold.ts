/**
 * Folding: the files of writers that are gone become one archive.
 *
 * The new archive is written beside the old one, synced, and renamed into its place; then the files are
 * removed. It lists whose numbers it holds, and readers leave those files alone, so a crash between any two
 * steps changes no total.
 */
import { closeSync, existsSync, openSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FamilyDescriptor } from '../../model/family.js';
import type { Writer } from '../backend.js';
import { accumulate } from '../merge.js';
import { ARCHIVE } from './directory.js';
import {
  Bytes,
  DECLARES,
  FILE_SUFFIX,
  FOLDED,
  HEADER_BYTES,
  recordLength,
  type SeriesIdentity,
  setUsedBytes,
  writeHeader,
  writeRecord,
} from './layout.js';
import type { Mapping } from './mapping.js';
import type { MetricsFile } from './reader.js';

const LOCK = 'fold.lock';
/** A file under a temporary name is left over from a crash after so long: making one takes milliseconds. */
const ABANDONED_MS = 60_000;

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
  const path = join(directory, LOCK);
  // Without locks in the C library, making the file is the lock; one left behind is taken over when it is old.
  const { hasLocks } = mapping;
  if (!hasLocks && existsSync(path) && Date.now() - statSync(path).mtimeMs > ABANDONED_MS) unlinkSync(path);
  let file: number;
  try {
    file = openSync(path, hasLocks ? 'a' : 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    if (!mapping.lock(file, 'exclusive')) return false;
    await fold();
    return true;
  } finally {
    closeSync(file);
    if (!hasLocks) unlinkSync(path);
  }
}

/** Writes the numbers of `gone` and of the archive before into a new archive, and removes the files of `gone`. */
export async function fold(
  directory: string,
  archive: MetricsFile | undefined,
  gone: readonly MetricsFile[],
): Promise<void> {
  const stillThere = new Set(readdirSync(directory));
  const before = [...(archive?.folded ?? [])].filter((id) => stillThere.has(id + FILE_SUFFIX));
  const bytes = encodeArchive(archive === undefined ? gone : [archive, ...gone], [
    ...before,
    ...gone.map(({ id }) => id),
  ]);
  const path = join(directory, ARCHIVE);
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(directory);
  for (const { id } of gone) await unlink(join(directory, id + FILE_SUFFIX)).catch(ignoreMissing);
  for (const name of stillThere) if (name.endsWith('.tmp')) await unlinkAbandoned(join(directory, name));
}

/** So that the new name is there after a power cut, before the old ones are taken away. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function unlinkAbandoned(path: string): Promise<void> {
  try {
    if (Date.now() - statSync(path).mtimeMs > ABANDONED_MS) await unlink(path);
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Series of one family, by identity. */
interface FoldedFamily {
  readonly family: FamilyDescriptor;
  readonly series: Map<string, { readonly identity: SeriesIdentity; readonly cells: Float64Array }>;
}

const ARCHIVED: Pick<Writer, 'id' | 'live'> = { id: 'archive', live: false };

function encodeArchive(files: readonly MetricsFile[], ids: readonly string[]): Uint8Array {
  const families = new Map<string, FoldedFamily>();
  for (const file of files) for (const table of file.tables) addTable(families, file, table);
  const encoder = new TextEncoder();
  const records: { text: Uint8Array; family: number; cells: Float64Array }[] = [
    { text: encoder.encode(JSON.stringify(ids)), family: FOLDED, cells: new Float64Array(0) },
  ];
  let number = 0;
  for (const { family, series } of families.values()) {
    records.push({
      text: encoder.encode(JSON.stringify(family)),
      family: DECLARES,
      cells: new Float64Array(0),
    });
    for (const { identity, cells } of series.values()) {
      records.push({ text: encoder.encode(JSON.stringify(identity)), family: number, cells });
    }
    number += 1;
  }
  const used = records.reduce(
    (sum, { text, cells }) => sum + recordLength(text.length, cells.length),
    HEADER_BYTES,
  );
  const bytes = new Bytes(new ArrayBuffer(used));
  writeHeader(bytes, { pid: 0, start: 0, bootId: '' });
  let at = HEADER_BYTES;
  for (const { text, family, cells } of records) {
    bytes.cells.set(cells, writeRecord(bytes, at, text, family, cells.length));
    at += recordLength(text.length, cells.length);
  }
  setUsedBytes(bytes, used);
  return bytes.bytes;
}

/** Values of live gauges end with their writer. Series of mode `all` stay those of their writer. */
function addTable(
  families: Map<string, FoldedFamily>,
  file: MetricsFile,
  table: MetricsFile['tables'][number],
): void {
  const { family, key, writer } = table;
  if (family.merge.startsWith('live')) return;
  let folded = families.get(key);
  if (folded === undefined) {
    folded = { family, series: new Map() };
    families.set(key, folded);
  }
  const owner = family.merge === 'all' ? { id: writer.id, live: false } : ARCHIVED;
  for (const { labels, cellIndex } of table.series()) {
    const identity: SeriesIdentity = { labels, writer: owner };
    const name = JSON.stringify(identity);
    let series = folded.series.get(name);
    if (series === undefined) {
      series = { identity, cells: new Float64Array(family.cells) };
      folded.series.set(name, series);
    }
    accumulate(family, series.cells, 0, file.content.cells, cellIndex, false);
  }
}
