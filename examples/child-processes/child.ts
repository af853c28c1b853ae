/** Counts primes: `child.js <first> <how many>`. Its bar is drawn by whoever started it, or here when it runs alone. */
import { trange } from 'metheus/progress';

const [first = 0, howMany = 500_000] = process.argv.slice(2).map(Number);

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return n > 1;
}

let primes = 0;
const desc = `From ${first}`;
for (const n of trange(first, first + howMany, { desc, unitScale: true })) {
  if (isPrime(n)) primes += 1;
}
console.log(primes);
