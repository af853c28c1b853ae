/** Processes that a case needs besides its own. They do not keep the case alive, and end with it. */
import { type ChildProcess, fork } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LOAD, type Load } from './fleet.js';

const PROGRAM = fileURLToPath(new URL('./fleet-process.js', import.meta.url));

/** Resolves when all processes have counted. With `kill`, one of them is then killed. */
async function start(processes: readonly ChildProcess[], kill: boolean): Promise<void> {
  await Promise.all(processes.map(counted));
  if (kill) {
    const killed = processes[0]!;
    killed.kill('SIGKILL');
    await once(killed, 'exit');
  }
  for (const child of processes) unrefProcess(child);
}

async function counted(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message) => message === 'counted' && resolve());
    child.once('exit', (code) => reject(new Error(`a process of the fleet ended with ${code}`)));
  });
}

function unrefProcess(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
}

export interface Fleet {
  readonly load: Load;
  readonly processes: number;
  /** Ends one of the processes by `SIGKILL` when all have counted. */
  readonly kill?: boolean;
}

/** @param environment - variables that name the backend */
export async function startFleet(
  { load, processes, kill = false }: Fleet,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const env = { ...process.env, ...environment, [LOAD]: JSON.stringify(load) };
  const started = Array.from({ length: processes }, () =>
    fork(PROGRAM, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  );
  atExit(() => {
    for (const child of started) child.kill('SIGKILL');
  });
  await start(started, kill);
}

/** Starts the fleet as workers of a cluster with this process as the primary. */
export async function startCluster({ load, processes, kill = false }: Fleet): Promise<void> {
  cluster.setupPrimary({ exec: PROGRAM });
  const workers = Array.from({ length: processes }, () => cluster.fork({ [LOAD]: JSON.stringify(load) }));
  await start(
    workers.map((worker) => worker.process),
    kill,
  );
}

/**
 * Runs `clean` at exit, in reverse order of the calls, so that processes end before their directory is
 * removed.
 */
export function atExit(clean: () => void): void {
  process.prependOnceListener('exit', clean);
  if (process.listenerCount('SIGTERM') > 0) return;
  // Listeners of `exit` do not run when a signal without a listener ends the process, as after a timeout.
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(1));
}
