/** What a thread does for the bars of the threads and processes that it starts. */

import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { warnOnce } from '../../errors.js';
import { workerChannel } from '../../system/worker-channel.js';
import { isOwn, PARENT_VARIABLE } from './board-file.js';
import { Children } from './children.js';
import { Drawer } from './drawer.js';
import { drawWorkers } from './workers.js';

const drawer = new Drawer();
let children: Children | undefined;

const KEY = Symbol.for('metheus.progress.drawer.v1');
const global = globalThis as { [KEY]?: true };

/**
 * Makes the main thread draw the bars of all worker threads that are started from now on. With several copies of this
 * package in a thread, one of them draws.
 */
export function startDrawing(): void {
  if (global[KEY]) return;
  global[KEY] = true;
  if (isMainThread) drawWorkers(drawer);
  // Reports the end of this thread's own workers to the main thread, which draws their bars too.
  else workerChannel();
}

/**
 * Variables for child processes whose bars this process is to draw: give them to `spawn`, `fork`, a shell, or put
 * them into `process.env` for all children to come. Children of children inherit them.
 *
 * What a child has in its bars is read from a directory below the system's for temporary files, and drawn in rows of
 * its own; a child that is killed has its bars drawn as they stood. The directory goes when this process ends. Where
 * it cannot be made there is one warning, and children draw for themselves.
 *
 * @example
 * ```ts
 * spawn('node', ['convert.js'], { env: { ...process.env, ...progressEnv() }, stdio: 'inherit' });
 * ```
 */
export function progressEnv(): Record<string, string> {
  const inherited = process.env[PARENT_VARIABLE];
  // Who draws this process draws its children too.
  if (inherited && existsSync(inherited) && !isOwn(inherited)) return { [PARENT_VARIABLE]: inherited };
  try {
    children ??= new Children(drawer);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warnOnce('progress-children', `Progress bars of child processes are not drawn here: ${reason}`);
    return {};
  }
  return { [PARENT_VARIABLE]: children.directory };
}
