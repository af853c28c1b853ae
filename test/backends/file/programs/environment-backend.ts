/** A program whose backend is chosen by the environment: it counts 5 and prints its metrics. */
import { createCounter, generateMetrics } from 'metheus';

createCounter('plain_total', 'Counts.').inc(5);
process.stdout.write(await generateMetrics());
