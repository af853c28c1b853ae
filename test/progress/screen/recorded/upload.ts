/**
 * The program whose screen README.md shows. It runs on a real terminal; only its clock is a script, so that every
 * run shows the same times.
 */
import { once } from 'node:events';
import { tqdm } from 'metheus/progress';

let seconds = 0;
performance.now = () => seconds * 1000;

/**
 * Megabytes, and how many of them go in a second. None is left with a whole number of seconds to go: a power in the
 * average differs by its last bit between versions of Node, and would decide which one is shown.
 */
const FILES = {
  'notes.txt': [1, 1],
  'photos.tar': [60, 20],
  'talk.mp4': [890, 30],
  'thesis.pdf': [24, 2.5],
  'mail.mbox': [355, 12.5],
} as const;
type Name = keyof typeof FILES;

/** Uploads that run: each is called once a second. */
const running = new Set<() => void>();

function upload(name: Name): Promise<void> {
  const [size, speed] = FILES[name];
  const bar = tqdm(null, { desc: name, total: size * 1e6, unit: 'B', unitScale: true, leave: false });
  return new Promise((resolve) => {
    running.add(function tick() {
      bar.update(Math.min(speed * 1e6, size * 1e6 - bar.n));
      if (bar.n < size * 1e6) return;
      running.delete(tick);
      bar.close();
      resolve();
    });
  });
}

const files = Object.keys(FILES) as Name[];
const all = tqdm.map(files, upload, { concurrency: 3, desc: 'Upload', unit: 'file' });
for (; seconds < 9; seconds++) {
  for (const tick of [...running]) tick();
  await new Promise(setImmediate);
}
// Until somebody has seen it.
process.stdin.setRawMode(true).resume();
await once(process.stdin, 'data');
process.stdin.pause();
while (running.size > 0) {
  for (const tick of [...running]) tick();
  await new Promise(setImmediate);
}
await all;
