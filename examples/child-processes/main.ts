/**
 * Counts the primes below 2,000,000 in four child processes, whose bars this process draws below its own.
 *
 * The children need no code for this: `progressEnv()` returns a variable for their environment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { progressEnv, tqdm } from 'metheus/progress';

const CHILDREN = 4;
const NUMBERS = 500_000;

const child = fileURLToPath(new URL('./child.js', import.meta.url));
const env = { ...process.env, ...progressEnv() };

/** Starts a child, and returns the number of primes among the numbers from `first` on. */
async function countPrimes(first: number): Promise<number> {
  const args = [child, String(first), String(NUMBERS)];
  const counting = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let found = '';
  counting.stdout.setEncoding('utf8').on('data', (text) => {
    found += text;
  });
  await once(counting, 'close');
  return Number(found);
}

using all = tqdm(null, { desc: 'Parts', total: CHILDREN, unit: 'part' });
const counts = Array.from({ length: CHILDREN }, async (_, i) => {
  const primes = await countPrimes(i * NUMBERS);
  all.update();
  return primes;
});
const primes = (await Promise.all(counts)).reduce((sum, one) => sum + one);
all.close();
console.log(`${primes} primes`);
