/** Who a process is, beyond its pid: pids are used again, and are equal in different containers. */
import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from './layout.js';

/** This process. Where there is no `/proc`, only the pid is known. */
export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid), bootId: bootId() };
}

/** Whether the process that wrote this header may still be there. For systems without file locks. */
export function mayLive({ pid, start, bootId: boot }: ProcessIdentity): boolean {
  if (boot !== bootId()) return false;
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

/** Field 22 of `/proc/<pid>/stat` (proc_pid_stat(5)): clock ticks since boot. The name before it may have spaces. */
function startOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return 0;
  }
}
