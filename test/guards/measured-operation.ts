/**
 * Makes 1,000,000 calls of one operation between two marks, once the calls are optimized:
 * `measured-operation.js OPERATION`.
 *
 *
 * Prints the allocated bytes, the minimum of several repetitions: the work of the optimizer is included, and
 * takes its time on a busy machine. So it repeats until the number is small enough.
 */
import { writeSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import { activeBackend } from '#metheus/backends/active-backend.js';
import { FAULTS, MIN_FAULT_BYTES, OPERATIONS } from './operations.js';

const CALLS = 1_000_000;
const WARM_UPS = 5;
const MIN_TIMES = 5;
const MAX_TIMES = 40;

await activeBackend().ready;
writeSync(1, `[backend ${activeBackend().backend.constructor.name}]\n`);
const loop = { ...OPERATIONS, ...FAULTS }[process.argv[2]!]!();
for (let i = 0; i < WARM_UPS; i++) {
  loop(CALLS);
  // Lets compilation in the background finish.
  await new Promise((resolve) => setTimeout(resolve, 50));
}
let least = Number.POSITIVE_INFINITY;
for (let i = 0; i < MIN_TIMES || (i < MAX_TIMES && least >= MIN_FAULT_BYTES); i++) {
  global.gc?.();
  writeSync(1, '[calls begin]\n');
  const before = getHeapStatistics().used_heap_size;
  loop(CALLS);
  const after = getHeapStatistics().used_heap_size;
  writeSync(1, '[calls end]\n');
  least = Math.min(least, after - before);
}
writeSync(1, `[allocated ${least}]\n`);
process.exit();
