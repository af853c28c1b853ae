/** Identity of a process beyond its pid: pids are reused, and are equal in different containers. */
import { readFileSync, statSync } from 'node:fs';

/** Distinguishes a process from every other one on the machine. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot; 0 when unknown. */
  readonly start: number;
  /** Random id of the boot; empty when unknown. */
  readonly bootId: string;
  /** Inode of the pid namespace in which the pid is valid; 0 when unknown. */
  readonly pidNamespace: number;
}

let self: ProcessIdentity | undefined;

/** Returns the identity of this process. Without `/proc`, only the pid is known. */
export function thisProcess(): ProcessIdentity {
  const { pid } = process;
  self ??= { pid, start: startOf(pid), bootId: bootId(), pidNamespace: pidNamespace() };
  return self;
}

/**
 * Reports whether a process may still be running. Used for files on which no lock is held. A process of another pid
 * namespace cannot be checked and counts as running: if its file were compacted while it runs, its numbers would count
 * twice.
 */
export function mayLive({ pid, start, bootId: boot, pidNamespace: namespace }: ProcessIdentity): boolean {
  const own = thisProcess();
  if (boot !== own.bootId) return false;
  if (namespace !== own.pidNamespace) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return start === 0 || startOf(pid) === start;
}

/** Returns the result of reading from `/proc`, or `unknown` on systems without it. */
function fromProc<T>(read: () => T, unknown: T): T {
  try {
    return read();
  } catch {
    return unknown;
  }
}

function bootId(): string {
  return fromProc(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(), '');
}

/** Returns the inode that identifies the pid namespace of this process, see pid_namespaces(7). */
function pidNamespace(): number {
  return fromProc(() => statSync('/proc/self/ns/pid').ino, 0);
}

/**
 * Returns the start time of a process: field 22 of `/proc/<pid>/stat`, see proc_pid_stat(5). Fields are counted after
 * the command name, which may contain spaces.
 */
function startOf(pid: number): number {
  return fromProc(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  }, 0);
}
