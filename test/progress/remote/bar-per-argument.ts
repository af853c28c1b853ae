/** A program that shows a bar for each argument; for `worker` and `child` in a thread or process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { progressEnv, TqdmPromProxy, tqdm } from 'metheus/progress';

const FILE = fileURLToPath(import.meta.url);

function show(desc: string): void {
  const proxy = new TqdmPromProxy();
  // The delay prevents a frame before the directory is removed.
  const delay = desc === 'late' ? Number.MIN_VALUE : 0;
  const bar = proxy.tqdm([1, 2, 3], { desc, delay, barFormat: '{desc} {n_fmt}/{total_fmt}' });
  if (desc === 'late') rmSync(process.env.METHEUS_PROGRESS_PARENT!, { recursive: true });
  bar.setDescriptionStr(desc);
  let rows = 0;
  for (const _ of bar) rows += 1;
  tqdm.write(`${desc}: ${rows} rows`);
}

if (!isMainThread) show(workerData);
else {
  for (const what of process.argv.slice(2)) {
    if (what === 'worker') await once(new Worker(FILE, { workerData: what }), 'exit');
    else if (what === 'child' && process.env.WITHOUT_CHILDREN === undefined) {
      const env = { ...process.env, ...progressEnv(), WITHOUT_CHILDREN: 'here' };
      await once(
        spawn(process.execPath, [FILE, 'child'], { env, stdio: ['ignore', 'ignore', 'inherit'] }),
        'close',
      );
    } else show(what);
  }
}
