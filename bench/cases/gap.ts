/** The longest time for which a scrape blocks the event loop. */
import { gunzipSync } from 'node:zlib';
import { type CollectorRegistry, type ExpositionFormat, streamMetrics } from 'metheus';
import { createFetchHandler } from 'metheus/http';
import type { Case, Size, Subject } from '../case.js';
import { checkScrape, fillOurs, fillTheirs } from '../workload/filled-registries.js';
import type { Amount } from '../workload/label-sets.js';

/** Ten families, so that a client which yields between families can do so. */
function amountOf({ quick }: Size): Amount {
  return { kind: 'counter', families: 10, series: quick ? 5000 : 100_000 };
}

/** Returns the longest time between two turns of the event loop during `work`, in milliseconds. */
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

/** Measures `scrape`, which passes each chunk to a callback. Only the check keeps the chunks. */
function measuring(
  scrape: (read: (chunk: Uint8Array) => void) => Promise<void>,
  amount: Amount,
  format: ExpositionFormat = 'text',
  unpack: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): Subject {
  return {
    async check() {
      const chunks: Uint8Array[] = [];
      await scrape((chunk) => chunks.push(chunk.slice()));
      checkScrape(unpack(Buffer.concat(chunks)), amount, format);
    },
    run: () => longestGap(() => scrape(() => {})),
  };
}

/** Scrapes as the handler for `node:http` does: each chunk is sent before the next one is made. */
async function stream(
  registry: CollectorRegistry,
  read: (chunk: Uint8Array) => void,
  format: ExpositionFormat = 'text',
): Promise<void> {
  for await (const chunk of streamMetrics(registry, { format, reuse: true })) read(chunk);
}

const WHAT = 'scrape of 1,000,000 counters';
const LARGE = {
  group: 'scrape',
  unit: 'ms',
  flags: ['--max-old-space-size=8192'],
  slow: true,
  quick: '50,000',
  target: { max: 20 },
} as const;

function gapIn(format: ExpositionFormat): Case {
  return {
    ...LARGE,
    name: `longest event-loop gap, ${WHAT}, ${format}`,
    ours(size) {
      const registry = fillOurs(amountOf(size));
      return measuring((read) => stream(registry, read, format), amountOf(size), format);
    },
  };
}

/** Scrapes through the fetch handler, which compresses each chunk as it is sent. */
const COMPRESSED: Case = {
  ...LARGE,
  name: `longest event-loop gap, ${WHAT}, gzip`,
  ours(size) {
    const serve = createFetchHandler({ registry: fillOurs(amountOf(size)) });
    const request = new Request('http://localhost/', { headers: { 'accept-encoding': 'gzip' } });
    const scrape = async (read: (chunk: Uint8Array) => void) => {
      for await (const chunk of (await serve(request)).body!) read(chunk);
    };
    return measuring(scrape, amountOf(size), 'text', gunzipSync);
  },
};

export const CASES: readonly Case[] = [
  {
    ...LARGE,
    name: `longest event-loop gap, ${WHAT}`,
    ours(size) {
      const registry = fillOurs(amountOf(size));
      return measuring((read) => stream(registry, read), amountOf(size));
    },
    theirs(client, size) {
      const registry = fillTheirs(client, amountOf(size));
      return measuring(async (read) => read(Buffer.from(await registry.metrics())), amountOf(size));
    },
  },
  gapIn('openmetrics'),
  gapIn('protobuf'),
  COMPRESSED,
];
