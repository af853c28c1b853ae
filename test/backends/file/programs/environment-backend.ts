/** A program that knows nothing of backends: the environment chooses. It counts 5, and prints its metrics. */
import { createCounter, generateMetrics } from 'metheus';

createCounter('plain_total', 'Counts.').inc(5);
process.stdout.write(await generateMetrics());
