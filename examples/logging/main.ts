/**
 * A job that logs by `console`, winston and pino while its bars run. All output is printed above the bars.
 *
 * Run `node build/examples/logging/main.js` on a terminal, or with `TQDM_OUTPUT=json` for output that programs read.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { tqdm } from 'metheus/progress';
import { pino } from 'pino';
import winston from 'winston';

// By default, pino writes to a file descriptor and bypasses process.stdout, so it needs a destination.
const log = pino({ base: null, timestamp: false }, { write: (line) => tqdm.write(line, { end: '' }) });

// winston writes to process.stdout, so its output is printed above the bars without a change.
const audit = winston.createLogger({
  format: winston.format.simple(),
  transports: [new winston.transports.Console()],
});

const batches = ['north', 'south', 'west'];

for (const batch of tqdm(batches, { desc: 'batches' })) {
  console.log(`begin ${batch}`);
  for (const row of tqdm(20, { desc: batch, leave: false })) {
    if (row === 7) log.warn({ batch, row }, 'odd row');
    if (row === 13) audit.info(`checked ${batch}`);
    await sleep(5);
  }
}
console.log('done');
