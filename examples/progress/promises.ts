/**
 * Compares compression formats and levels for a file:
 *
 *     node build/examples/progress/promises.js FILE
 *
 * All formats run at once, and each size is printed as soon as it is known. Then the levels of gzip run two at a time,
 * and their sizes are printed in order. After Ctrl-C no further level starts.
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, deflate, gzip } from 'node:zlib';
import { tqdm } from 'metheus/progress';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Usage: promises.js FILE');
const content = await readFile(file);

const formats = { gzip: promisify(gzip), deflate: promisify(deflate), brotli: promisify(brotliCompress) };
const packed = Object.entries(formats).map(async ([name, pack]) => ({
  name,
  size: (await pack(content)).length,
}));
for await (const { name, size } of tqdm.asCompleted(packed, { desc: 'Formats' })) {
  tqdm.write(`${name}: ${size} bytes`);
}

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('Interrupted')));
const levels = [1, 3, 6, 9];
const sizes = await tqdm.map(levels, async (level) => (await formats.gzip(content, { level })).length, {
  concurrency: 2,
  signal: interrupted.signal,
  desc: 'Levels',
});
for (const [i, level] of levels.entries()) console.log(`level ${level}: ${sizes[i]} bytes`);
