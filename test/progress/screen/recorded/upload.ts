/** The program whose screen README.md shows. Its clock is scripted, so that every run shows the same times. */
import { once } from 'node:events';

let seconds = 0;
performance.now = () => seconds * 1000;
// Imported only now, since bars save the clocks of Node when their module is loaded.
const { tqdm } = await import('metheus/progress');

/**
 * Size in megabytes, and megabytes per second. The remaining time is never a whole number of seconds: there the last
 * bit of the average, which differs between versions of Node.js, would decide which one is shown.
 */
const FILES = {
  'notes.txt': [1, 1],
  'photos.tar': [60, 20],
  'talk.mp4': [890, 30],
  'thesis.pdf': [24, 2.5],
  'mail.mbox': [355, 12.5],
} as const;
type Name = keyof typeof FILES;

/** Functions of the running uploads, each called once a second. */
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
// Stays until a key is typed.
process.stdin.setRawMode(true).resume();
await once(process.stdin, 'data');
process.stdin.pause();
while (running.size > 0) {
  for (const tick of [...running]) tick();
  await new Promise(setImmediate);
}
await all;
