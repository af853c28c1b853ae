/** The time that a bar adds to each chunk of a stream. */
import { PassThrough, Readable, type Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { tqdm } from 'metheus/progress';
import { type Case, expectEqual, type Size, type Subject } from '../case.js';

/** A terminal that discards its input. */
const file = { write: () => true, isTTY: true, columns: 80 };

/** A chunk of the size in which Node reads files. */
const CHUNK = Buffer.alloc(65_536);

/** Pipes chunks through a stream into a sink that discards them. Returns the number of bytes that arrived. */
async function send(chunks: number, through: Transform): Promise<number> {
  let left = chunks;
  let bytes = 0;
  const source = new Readable({
    read() {
      this.push(left-- > 0 ? CHUNK : null);
    },
  });
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      callback();
    },
  });
  await pipeline(source, through, sink);
  return bytes;
}

function streaming(through: () => Transform, { quick }: Size): Subject {
  const chunks = quick ? 5000 : 20_000;
  return {
    async check() {
      expectEqual('bytes', await send(chunks, through()), chunks * CHUNK.length);
    },
    async run() {
      const start = performance.now();
      await send(chunks, through());
      return ((performance.now() - start) * 1e6) / chunks;
    },
  };
}

export const CASES: readonly Case[] = [
  {
    group: 'progress',
    name: 'a chunk of 64 KiB through bar.stream(); limit: through a PassThrough',
    unit: 'ns',
    ours: (size) => streaming(() => tqdm(null, { file, unit: 'B', unitScale: true }).stream(), size),
    limit: (size) => streaming(() => new PassThrough(), size),
  },
];
