/**
 * Packs a file, with a bar for what is read and one for what is written:
 *
 *     node build/examples/progress/streams.js FILE
 *
 * writes FILE.gz.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { tqdm } from 'metheus/progress';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Which file?');

const bytes = { unit: 'B', unitScale: true, unitDivisor: 1024 };
const read = tqdm(null, { ...bytes, desc: 'Read', total: (await stat(file)).size });
const written = tqdm(null, { ...bytes, desc: 'Written' });

// Whichever stream fails, all are destroyed, and both bars have failed.
await pipeline(
  createReadStream(file),
  read.stream(),
  createGzip(),
  written.stream(),
  createWriteStream(`${file}.gz`),
);
console.log(`${read.n} bytes became ${written.n}.`);
