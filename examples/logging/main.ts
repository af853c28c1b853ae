/**
 * A job that logs while its bars run: by `console`, by winston and by pino. Whatever is written goes above the bars.
 *
 * `node build/examples/logging/main.js` on a terminal; `TQDM_OUTPUT=json` shows the same to a program.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { tqdm } from 'metheus/progress';
import { pino } from 'pino';
import winston from 'winston';

// pino writes to a file descriptor by itself, past every stream, unless it is given something else to write to.
const log = pino({ base: null, timestamp: false }, { write: (line) => tqdm.write(line, { end: '' }) });

// winston writes to the console, which is above the bars already.
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
