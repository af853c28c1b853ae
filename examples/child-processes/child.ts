/** Counts primes: `child.js FIRST COUNT`. The parent draws its bar. Without a parent, the program draws it itself. */
import { trange } from 'metheus/progress';

const [first = 0, count = 500_000] = process.argv.slice(2).map(Number);

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return n > 1;
}

let primes = 0;
const desc = `From ${first}`;
for (const n of trange(first, first + count, { desc, unitScale: true })) {
  if (isPrime(n)) primes += 1;
}
console.log(primes);
