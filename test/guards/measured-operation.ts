/**
 * A process that makes 1,000,000 calls of one operation between two marks, once they are as fast as they get:
 * `measured-operation.js OPERATION`. The guards look at it from outside.
 *
 * It prints the bytes that the calls allocated, the least of several times: what the optimizer does meanwhile
 * counts too, and on a busy machine it takes its time. So it goes on until they are few enough.
 */
import { writeSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import { activeBackend } from '#metheus/backends/active.js';
import { FAULTS, LEAST_FAULT_BYTES, OPERATIONS } from './operations.js';

const CALLS = 1_000_000;
const WARM_UPS = 5;
const LEAST_TIMES = 5;
const MOST_TIMES = 40;

await activeBackend().ready;
writeSync(1, `[backend ${activeBackend().backend.constructor.name}]\n`);
const loop = { ...OPERATIONS, ...FAULTS }[process.argv[2]!]!();
for (let i = 0; i < WARM_UPS; i++) {
  loop(CALLS);
  // Lets compilation in the background come to its end.
  await new Promise((resolve) => setTimeout(resolve, 50));
}
let least = Number.POSITIVE_INFINITY;
for (let i = 0; i < LEAST_TIMES || (i < MOST_TIMES && least >= LEAST_FAULT_BYTES); i++) {
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
