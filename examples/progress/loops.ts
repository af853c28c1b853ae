/**
 * Tells the commonest words of a text, with a bar for each way to loop:
 *
 *     node build/examples/progress/loops.js FILE
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { tqdm, trange } from 'metheus/progress';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Which file?');

// Asynchronously: nobody knows how many lines will come.
const lines: string[] = [];
const reader = createInterface({ input: createReadStream(file) });
for await (const line of tqdm(reader, { desc: 'Read', unit: 'line' })) lines.push(line);

// An array, a Set, a Map or a typed array tells its size.
const counts = new Map<string, number>();
for (const line of tqdm(lines, { desc: 'Split', unit: 'line' })) {
  for (const word of line.toLowerCase().match(/\p{L}+/gu) ?? [])
    counts.set(word, (counts.get(word) ?? 0) + 1);
}

// A generator does not: `total` does. A loop that is left closes its bar.
function* commonestFirst(): Generator<[string, number]> {
  yield* [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
for (const [word, count] of tqdm(commonestFirst(), { desc: 'Rank', total: counts.size, unit: 'word' })) {
  if (count === 1) break;
  console.log(`${count} ${word}`);
}

// Numbers, and a bar that is moved by hand and closed at the end of the block, also by an error.
{
  using letters = tqdm(null, { desc: 'Letters', unitScale: true });
  for (const row of trange(lines.length, { desc: 'Rows', leave: false })) letters.update(lines[row]!.length);
}
