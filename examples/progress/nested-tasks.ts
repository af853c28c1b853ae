/**
 * Hashes the files of a folder, three at a time, each with a bar of its own below the bar of all files:
 *
 *     node build/examples/progress/nested-tasks.js FOLDER
 *
 * A bar that is opened in a task of `tqdm.map` automatically gets a row below the bar of the map. When a file is done,
 * the bar of the next file uses its row.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { tqdm } from 'metheus/progress';

async function digest(file: string, desc: string): Promise<string> {
  const { size } = await stat(file);
  const bar = tqdm(null, { desc, total: size, unit: 'B', unitScale: true, leave: false });
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), bar.stream(), hash);
  return hash.digest('hex');
}

const [folder = '.'] = process.argv.slice(2);
const entries = await readdir(folder, { withFileTypes: true });
const names = entries
  .filter((entry) => entry.isFile())
  .map(({ name }) => name)
  .sort();

const digests = await tqdm.map(names, (name) => digest(join(folder, name), name), {
  concurrency: 3,
  desc: 'Files',
  unit: 'file',
});
for (const [i, name] of names.entries()) console.log(`${digests[i]}  ${name}`);
