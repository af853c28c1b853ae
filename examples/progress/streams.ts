/**
 * Compresses a file to FILE.gz, with one bar for the bytes read and one for the bytes written:
 *
 *     node build/examples/progress/streams.js FILE
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { tqdm } from 'metheus/progress';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Usage: streams.js FILE');

const bytes = { unit: 'B', unitScale: true, unitDivisor: 1024 };
const read = tqdm(null, { ...bytes, desc: 'Read', total: (await stat(file)).size });
const written = tqdm(null, { ...bytes, desc: 'Written' });

// When a stream fails, all are destroyed, and both bars fail.
await pipeline(
  createReadStream(file),
  read.stream(),
  createGzip(),
  written.stream(),
  createWriteStream(`${file}.gz`),
);
console.log(`${read.n} bytes became ${written.n}.`);
