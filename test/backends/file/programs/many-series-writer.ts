/** Creates series as fast as possible, and prints their number from time to time. */
import { writeSync } from 'node:fs';
import { createCounter, loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';

await loadBackend(MultiProcessFileBackend, { directory: process.argv[2]! });
const total = createCounter('appended_total', 'All.');
const each = createCounter('each_total', 'Each once.', { requiredLabels: ['process', 'i'] });
const mine = each.labels({ process: String(process.pid) });
process.send!('ready');
for (let i = 0; ; i++) {
  total.inc();
  mine.labels({ i: String(i) }).inc();
  if (i % 16 === 0) writeSync(1, `${i}\n`);
}
