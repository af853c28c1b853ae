/**
 * Prints the most frequent words of a text, with a bar for each kind of loop:
 *
 *     node build/examples/progress/loops.js FILE
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { tqdm, trange } from 'metheus/progress';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Usage: loops.js FILE');

// An async iterable: the number of lines is unknown.
const lines: string[] = [];
const reader = createInterface({ input: createReadStream(file) });
for await (const line of tqdm(reader, { desc: 'Read', unit: 'line' })) lines.push(line);

// The size of an array, a Set, a Map or a typed array is the total.
const counts = new Map<string, number>();
for (const line of tqdm(lines, { desc: 'Split', unit: 'line' })) {
  for (const word of line.toLowerCase().match(/\p{L}+/gu) ?? [])
    counts.set(word, (counts.get(word) ?? 0) + 1);
}

// A generator has no size, so `total` gives it. Leaving the loop closes its bar.
function* mostFrequentFirst(): Generator<[string, number]> {
  yield* [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
for (const [word, count] of tqdm(mostFrequentFirst(), { desc: 'Rank', total: counts.size, unit: 'word' })) {
  if (count === 1) break;
  console.log(`${count} ${word}`);
}

// A loop over numbers, and a bar that is updated by calls. `using` closes it at the end of the block, even on an error.
{
  using letters = tqdm(null, { desc: 'Letters', unitScale: true });
  for (const row of trange(lines.length, { desc: 'Rows', leave: false })) letters.update(lines[row]!.length);
}
