/** A whole scrape, until its bytes can be sent. */
import { type ExpositionFormat, generateBytes } from 'metheus';
import type { Case, Size, Subject, Target } from '../case.js';
import { checkScrape, fillOurs, fillTheirs } from '../workload/filled-registries.js';
import type { Amount } from '../workload/label-sets.js';

interface Wanted {
  readonly name: string;
  readonly amountOf: (size: Size) => Amount;
  readonly quick: string;
  readonly target: Target;
}

const COUNTERS: Wanted = {
  name: 'scrape of 100,000 counters',
  amountOf: ({ quick }) => ({ kind: 'counter', families: 1, series: quick ? 10_000 : 100_000 }),
  quick: '10,000',
  target: { max: 10 },
};
const HISTOGRAMS: Wanted = {
  name: 'scrape of 10,000 histograms',
  amountOf: ({ quick }) => ({ kind: 'histogram', families: 1, series: quick ? 1000 : 10_000 }),
  quick: '1,000',
  target: { max: 18 },
};

const NATIVE: Wanted = {
  ...HISTOGRAMS,
  name: 'scrape of 10,000 native histograms',
  amountOf: (size) => ({ ...HISTOGRAMS.amountOf(size), kind: 'native histogram' }),
};

export class Scraping implements Subject {
  bytes = 0;
  readonly #amount: Amount;
  readonly #scrape: () => Uint8Array | Promise<Uint8Array>;

  readonly #format: ExpositionFormat;

  constructor(
    amount: Amount,
    scrape: () => Uint8Array | Promise<Uint8Array>,
    format: ExpositionFormat = 'text',
  ) {
    this.#amount = amount;
    this.#scrape = scrape;
    this.#format = format;
  }

  async check(): Promise<void> {
    const bytes = await this.#scrape();
    this.bytes = bytes.length;
    checkScrape(bytes, this.#amount, this.#format);
  }

  async run(): Promise<number> {
    const start = performance.now();
    await this.#scrape();
    return performance.now() - start;
  }
}

const CHUNK_BYTES = 65_536;
const LINE_FEED = 10;

/**
 * Copies the bytes of a scrape line by line, eight bytes at a time, into a chunk that is copied away when it
 * is full. This is the work that remains of a scrape when every line is known in advance.
 */
function moveLines(text: Buffer, starts: Uint32Array): Uint8Array {
  const from = new DataView(text.buffer, text.byteOffset, text.byteLength);
  const chunk = new Uint8Array(CHUNK_BYTES + 8);
  const to = new DataView(chunk.buffer);
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let line = 1; line < starts.length; line++) {
    const start = starts[line - 1]!;
    const length = starts[line]! - start;
    if (at + length > CHUNK_BYTES) {
      chunks.push(chunk.slice(0, at));
      at = 0;
    }
    for (let i = 0; i < length; i += 8) to.setFloat64(at + i, from.getFloat64(start + i, true), true);
    at += length;
  }
  chunks.push(chunk.subarray(0, at));
  return Buffer.concat(chunks);
}

async function moving(amount: Amount): Promise<Subject> {
  const text = await generateBytes(fillOurs(amount));
  const starts = [0];
  for (const [i, byte] of text.entries()) if (byte === LINE_FEED) starts.push(i + 1);
  const padded = Buffer.concat([text, new Uint8Array(8)]);
  const lines = Uint32Array.from(starts);
  return new Scraping(amount, () => moveLines(padded, lines));
}

function scrapeOf({ amountOf, ...wanted }: Wanted): Case {
  return {
    ...wanted,
    group: 'scrape',
    unit: 'ms',
    slow: 'peers',
    ours(size) {
      const registry = fillOurs(amountOf(size));
      return new Scraping(amountOf(size), () => generateBytes(registry));
    },
    theirs(client, size) {
      const registry = fillTheirs(client, amountOf(size));
      return new Scraping(amountOf(size), async () => Buffer.from(await registry.metrics()));
    },
    limit: (size) => moving(amountOf(size)),
  };
}

/** A scrape in another format. The peers do not write it, or write other content. */
function scrapeIn(format: ExpositionFormat, { name, amountOf, quick }: Wanted): Case {
  return {
    group: 'scrape',
    name: `${name}, ${format}`,
    unit: 'ms',
    quick,
    ours(size) {
      const registry = fillOurs(amountOf(size));
      return new Scraping(amountOf(size), () => generateBytes(registry, { format }), format);
    },
  };
}

export const CASES: readonly Case[] = [
  scrapeOf(COUNTERS),
  scrapeOf(HISTOGRAMS),
  ...(['openmetrics', 'protobuf'] as const).flatMap((format) => [
    scrapeIn(format, COUNTERS),
    scrapeIn(format, HISTOGRAMS),
  ]),
  scrapeIn('protobuf', NATIVE),
];
