/** Who a process is, beyond its pid: pids are used again, and are equal in different containers. */
import { readFileSync, statSync } from 'node:fs';
import type { ProcessIdentity } from './layout.js';

let self: ProcessIdentity | undefined;

/** This process. Where there is no `/proc`, only the pid is known. */
export function thisProcess(): ProcessIdentity {
  const { pid } = process;
  self ??= { pid, start: startOf(pid), bootId: bootId(), pidNamespace: pidNamespace() };
  return self;
}

/**
 * Whether the process that wrote this header may still be there, for files whose owner holds no lock. Of another
 * pid namespace nothing can be told, and folding the numbers of the living would count them twice: so yes.
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

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/** The inode of pid_namespaces(7). */
function pidNamespace(): number {
  try {
    return statSync('/proc/self/ns/pid').ino;
  } catch {
    return 0;
  }
}

/** Field 22 of `/proc/<pid>/stat` (proc_pid_stat(5)): clock ticks since boot. The name before it may have spaces. */
function startOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return 0;
  }
}
