/** How long a scrape keeps everything else in the program waiting. */
import { type CollectorRegistry, streamMetrics } from 'metheus';
import type { Case, Size, Subject } from '../case.js';
import { type Amount, checkText, fillOurs, fillTheirs } from '../filled.js';

/** Ten families, so that a client which rests between families can do so. */
function amountOf({ quick }: Size): Amount {
  return { kind: 'counter', families: 10, series: quick ? 10_000 : 100_000 };
}

/** The longest time between two turns of the event loop while `work` goes on. Milliseconds. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let done = false;
  const note = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const turn = () => {
    note();
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  done = true;
  note();
  return longest;
}

/** `scrape` gives its bytes to a reader, who keeps them for the check and lets them go afterwards. */
function measuring(scrape: (read: (chunk: Uint8Array) => void) => Promise<void>, amount: Amount): Subject {
  return {
    async check() {
      const chunks: Uint8Array[] = [];
      await scrape((chunk) => chunks.push(chunk));
      checkText(Buffer.concat(chunks).toString(), amount);
    },
    run: () => longestGap(() => scrape(() => {})),
  };
}

async function stream(registry: CollectorRegistry, read: (chunk: Uint8Array) => void): Promise<void> {
  for await (const chunk of streamMetrics(registry)) read(chunk);
}

export const GAP: readonly Case[] = [
  {
    group: 'scrape',
    name: 'longest event-loop gap, scrape of 1,000,000 counters (--quick: 100,000)',
    unit: 'ms',
    flags: ['--max-old-space-size=8192'],
    slow: true,
    ours(size) {
      const registry = fillOurs(amountOf(size));
      return measuring((read) => stream(registry, read), amountOf(size));
    },
    theirs(client, size) {
      const registry = fillTheirs(client, amountOf(size));
      return measuring(async (read) => read(Buffer.from(await registry.metrics())), amountOf(size));
    },
  },
];
