/** Writes without a pause: a number that only grows, and one that alternates between two with no byte in common. */
import { createCounter, createGauge, createHistogram, loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';

await loadBackend(MultiProcessFileBackend, { directory: process.argv[2]! });
const counter = createCounter('hammer_total', 'Grows.');
const gauge = createGauge('hammer', 'Jumps.');
const histogram = createHistogram('hammer_seconds', 'Grows.', { buckets: [1] });
const [a, b] = [Number(process.argv[3]), Number(process.argv[4])];
counter.inc(2 ** 32 - 1000);
gauge.set(a);
process.send!('ready');
for (;;) {
  counter.inc();
  gauge.set(b);
  histogram.observe(0);
  counter.inc();
  gauge.set(a);
  histogram.observe(2);
}
