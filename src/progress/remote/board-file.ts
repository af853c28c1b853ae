/**
 * The files of a board directory, which the drawer of a tree of processes makes and takes away.
 *
 * ```
 * owner                     the drawer: JSON, a ProcessIdentity
 * <id>.board                the bars of one process: a block with its identity, then slots
 * <id>-<number>.<stream>    text to be printed above the bars; the reader removes it
 * ```
 *
 * Every file gets its name when it is whole. Nobody but the drawer removes one, so a process that is killed leaves
 * nothing behind, and neither does a drawer: the next one takes its directory away.
 */

import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mayLive, type ProcessIdentity, thisProcess } from '../../system/process-identity.js';
import type { StreamName } from '../screen/terminal.js';
import { SLOT_BYTES } from './slot.js';

/** Names the directory to the processes that a drawer starts. */
export const PARENT_VARIABLE = 'METHEUS_PROGRESS_PARENT';

const PREFIX = 'metheus-progress-';
const OWNER = 'owner';
export const BOARD_ENDING = '.board';

/** Whether a directory was made by this process. */
export function isOwn(directory: string): boolean {
  return JSON.stringify(readIdentity(join(directory, OWNER))) === JSON.stringify(thisProcess());
}

/** A directory that only this user can read. @throws what the file system throws */
export function createBoardDirectory(): string {
  removeStale(tmpdir());
  const directory = mkdtempSync(join(tmpdir(), PREFIX));
  writeWhole(directory, OWNER, JSON.stringify(thisProcess()));
  return directory;
}

/** Never throws: what cannot be removed stays. */
export function removeDirectory(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {}
}

/** Takes away what drawers left that were killed. */
function removeStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    const owner = readIdentity(join(folder, name, OWNER));
    if (owner !== undefined && !mayLive(owner)) removeDirectory(join(folder, name));
  }
}

/** Writes a file that nobody sees half of. */
export function writeWhole(directory: string, name: string, content: string | Uint8Array): void {
  const unfinished = join(directory, `${name}.tmp`);
  writeFileSync(unfinished, content, { mode: 0o600 });
  renameSync(unfinished, join(directory, name));
}

/** The first block of a board. */
export function identityBlock(): Uint8Array {
  const block = new Uint8Array(SLOT_BYTES);
  block.set(new TextEncoder().encode(JSON.stringify(thisProcess())));
  return block;
}

export function parseIdentity(block: Uint8Array): ProcessIdentity {
  const text = Buffer.from(block).toString();
  return JSON.parse(text.slice(0, text.indexOf('}') + 1));
}

function readIdentity(file: string): ProcessIdentity | undefined {
  try {
    return parseIdentity(readFileSync(file));
  } catch {
    return undefined;
  }
}

/** The texts that wait to be printed, by writer in the order in which they were written. */
export function waitingTexts(
  names: readonly string[],
): { readonly name: string; readonly stream: StreamName }[] {
  return names
    .map((name) => ({ name, match: /^(.+)-(\d+)\.(stdout|stderr)$/.exec(name) }))
    .filter(({ match }) => match !== null)
    .sort((a, b) => a.match![1]!.localeCompare(b.match![1]!) || Number(a.match![2]) - Number(b.match![2]))
    .map(({ name, match }) => ({ name, stream: match![3] as StreamName }));
}
