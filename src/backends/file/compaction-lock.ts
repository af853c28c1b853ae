/** The lock that lets only one process at a time compact a directory, and the removal of files left by crashes. */
import { closeSync, constants, existsSync, openSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing, openRegular } from '../../system/regular-file.js';
import type { Mapping } from './mapping.js';

/** File that is locked during a compaction. Never removed, since another process may be about to lock it. */
const LOCK = 'fold.lock';
/** File that exists while a process that cannot lock files compacts. */
const MARKER = 'fold.taken';
/** Age at which a temporary file counts as left over from a crash. */
const ABANDONED_MS = 60_000;

/**
 * Runs `compact` unless another process compacts in this directory.
 *
 * @param hasLocks - whether files of this directory can be locked
 * @throws the error of the file system; an error with the code `koffi` if only processes with koffi may compact
 */
export async function withCompactionLock(
  directory: string,
  mapping: Mapping,
  hasLocks: boolean,
  compact: () => Promise<void>,
): Promise<void> {
  const lock = join(directory, LOCK);
  const marker = join(directory, MARKER);
  // A process that can lock files uses the lock file, one that cannot uses the marker. Each creates its own file first
  // and then looks for the other one. Of two that start at once, at least one sees the other and does not compact.
  // Where the file system has no locks, every process uses the marker.
  if (!mapping.hasLocks || !hasLocks) {
    await withMarker(marker, async () => {
      if (!mapping.hasLocks && existsSync(lock)) throw leftToOthers();
      await compact();
    });
    return;
  }
  const file = openRegular(lock, constants.O_WRONLY | constants.O_CREAT);
  try {
    if (mapping.lock(file, 'exclusive') && (!existsSync(marker) || removeAbandoned(marker))) await compact();
  } finally {
    closeSync(file);
  }
}

function leftToOthers(): Error {
  const message = 'a process with koffi has compacted this directory, so only processes with koffi may do it';
  return Object.assign(new Error(message), { code: 'koffi' });
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
  const renewal = setInterval(() => renew(path), ABANDONED_MS / 6).unref();
  try {
    await run();
  } finally {
    clearInterval(renewal);
    rmSync(path, { force: true });
  }
}

/** Updates the time of the marker, so that a long compaction does not count as abandoned. */
function renew(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // The directory was removed.
  }
}

/** Removes a file that a crash has left behind. Reports whether the name is free. */
export function removeAbandoned(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs <= ABANDONED_MS) return false;
    rmSync(path, { force: true });
    return true;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return true;
  }
}
