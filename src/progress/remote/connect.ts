/** Connects this thread to its parent, which draws its bars, and to the threads and processes whose bars it draws. */

import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { messageOf, warnOnce } from '../../errors.js';
import { workerChannel } from '../../system/worker-channel.js';
import { type BarEnvironment, createEnvironment } from '../bar/environment.js';
import { privateRecord } from '../bar/record.js';
import type { Board } from './board.js';
import { ChildProcesses } from './child-processes.js';
import { isOfParent, openFileBoard } from './file-board.js';
import { RecordFileWriter } from './record-file.js';
import { RemoteBarRenderer } from './remote-bar-renderer.js';
import { drawWorkers, openThreadBoard } from './worker-threads.js';

/** Environment variable that names the parent's directory to child processes. */
const DIRECTORY_VARIABLE = 'METHEUS_PROGRESS_PARENT';

/** Key of environment data, which all workers inherit: whether the main thread draws their bars. */
const DRAWN = 'metheus.bars-drawn.v1';

let ownBoard: Board | false | undefined;

/** Returns the directory in which this process must put its board; undefined if it draws its bars itself. */
function parentDirectory(): string | undefined {
  const directory = process.env[DIRECTORY_VARIABLE];
  return directory && isOfParent(directory) ? directory : undefined;
}

const isDrawnByMainThread = () => !isMainThread && getEnvironmentData(DRAWN) === true;

/** Returns the board on which this thread shows its bars; undefined when it draws them itself. */
function board(): Board | undefined {
  ownBoard ??= (isDrawnByMainThread() ? openThreadBoard() : openProcessBoard()) ?? false;
  return ownBoard || undefined;
}

/** Returns the board of a child process, whose parent also publishes its bars. */
function openProcessBoard(): Board | undefined {
  const directory = parentDirectory();
  if (directory === undefined) return undefined;
  const records = new RecordFileWriter(directory);
  return openFileBoard(directory, () => records.writeIfDue());
}

/** Makes the parent process publish the bars of this process, if the parent draws these bars. */
export function publishInParent(): void {
  board();
}

/** The environment of bars in this thread. */
export const threadEnvironment: BarEnvironment = createEnvironment({
  get board() {
    return board();
  },
  openRecord: (bucket, unit) => (board()?.openRecord ?? privateRecord)(bucket, unit),
});

let renderer: RemoteBarRenderer | undefined;
/** The child processes whose bars this process draws; undefined before the first call of {@link progressEnv}. */
export let children: ChildProcesses | undefined;

const KEY = Symbol.for('metheus.remote-bars.v1');
const global = globalThis as { [KEY]?: true };

/**
 * Makes the main thread draw the bars of all worker threads that are started from now on. In a child process whose
 * parent draws its bars, makes the parent print what the child writes to the terminal. If a thread has loaded several
 * copies of this package, only the first call has an effect.
 */
export function startDrawing(): void {
  if (global[KEY]) return;
  global[KEY] = true;
  // Output is redirected at once, since bars of the parent may be on the terminal before this process has any.
  if (isMainThread && parentDirectory() !== undefined) threadEnvironment.redirection.hold(threadEnvironment);
  if (isMainThread) {
    setEnvironmentData(DRAWN, true);
    process.once('worker', () => {
      renderer ??= new RemoteBarRenderer(threadEnvironment);
      drawWorkers(renderer, threadEnvironment);
    });
  }
  // The channel of a worker reports to the main thread when one of the worker's own workers ends. The main thread draws
  // the bars of these workers too.
  else workerChannel();
}

/**
 * Returns environment variables for child processes whose bars this process draws. Give them to `spawn`, `fork` or a
 * shell, or put them into `process.env` for all later children. Children of children inherit them.
 *
 * The frames of a child's bars are read from a directory among the system's temporary files, and drawn in rows of their
 * own. Proxies of this process also publish the bars of proxies with the same name in children. If a child is killed,
 * its bars that are still running are drawn and published as failed. The directory is removed when this process ends.
 * If it cannot be made, there is one warning and children draw their own bars.
 *
 * @example
 * ```ts
 * spawn('node', ['convert.js'], { env: { ...process.env, ...progressEnv() }, stdio: 'inherit' });
 * ```
 */
export function progressEnv(): Record<string, string> {
  // The parent of this process draws the bars of its children too.
  const inherited = parentDirectory();
  if (inherited !== undefined) return { [DIRECTORY_VARIABLE]: inherited };
  try {
    renderer ??= new RemoteBarRenderer(threadEnvironment);
    children ??= new ChildProcesses(renderer, threadEnvironment);
  } catch (error) {
    warnOnce('progress-children', `Progress bars of child processes are not drawn here: ${messageOf(error)}`);
    return {};
  }
  return { [DIRECTORY_VARIABLE]: children.directory };
}
