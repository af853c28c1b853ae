/** Compacts, and kills itself at a step: `interrupted-compaction.js <directory> <step> <occurrence>`. */
import { MultiProcessFileBackend } from 'metheus/backends/file';

const [, , directory, step, count] = process.argv;
let left = Number(count);
const backend = new MultiProcessFileBackend(
  { directory: directory! },
  {
    onCompactionStep: (reached) => {
      if (reached !== step) return;
      left -= 1;
      if (left === 0) process.kill(process.pid, 'SIGKILL');
    },
  },
);
await backend.open({ migrate() {} });
await backend.compact();
