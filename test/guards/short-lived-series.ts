/**
 * Creates and removes series, 10 or 100 of each type in a round and never with the same labels, and scrapes
 * after each round: `short-lived-series.js ROUNDS`.
 *
 *
 * Prints the growth of the memory in the fifth of the rounds with the smallest growth, the first fifth aside:
 * a leak grows in each of them.
 */
import {
  createCounter,
  createGauge,
  createHistogram,
  createInfo,
  createStateSet,
  createSummary,
  generateMetrics,
} from 'metheus';

const requiredLabels = ['tenant'] as const;
const metrics = [
  createCounter('churn_total', 'Churn.', { requiredLabels }),
  createGauge('churn_value', 'Churn.', { requiredLabels }),
  createHistogram('churn_seconds', 'Churn.', { requiredLabels }),
  createSummary('churn_bytes', 'Churn.', { requiredLabels }),
  createHistogram('churn_native_seconds', 'Churn.', { requiredLabels, native: true }),
  createSummary('churn_quantiles_bytes', 'Churn.', { requiredLabels, quantiles: [0.5, 0.99] }),
  createInfo('churn', 'Churn.', { requiredLabels }),
  createStateSet('churn_state', 'Churn.', { requiredLabels, states: ['waits', 'runs'] }),
] as const;
const [counter, gauge, histogram, summary, native, quantiles, info, state] = metrics;
const PARTS = 5;

const rounds = Number(process.argv[2]);

let tenants = 0;

async function round(): Promise<void> {
  const made: string[] = [];
  for (let i = 0; i < 100; i++) {
    const tenant = `tenant-${tenants++}`;
    made.push(tenant);
    counter.labels({ tenant }).inc();
    gauge.labels({ tenant }).set(i);
    histogram.labels({ tenant }).observe(i);
    summary.labels({ tenant }).observe(i);
    // Fewer series, since they cost a hundred times as much.
    if (i % 10 > 0) continue;
    native.labels({ tenant }).observe(i);
    quantiles.labels({ tenant }).observe(i);
    info.labels({ tenant }).info();
    state.labels({ tenant }).set('runs');
  }
  const text = await generateMetrics();
  if (!text.includes(made[99]!)) throw new Error('a series is missing');
  for (const metric of metrics) for (const tenant of made) metric.remove({ tenant });
}

function used(): number {
  global.gc!();
  global.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function look(more: number): Promise<number> {
  for (let i = 0; i < more; i++) await round();
  return used();
}

const looks: number[] = [];
for (let part = 0; part < PARTS; part++) looks.push(await look(rounds / PARTS));
console.log(Math.min(...looks.slice(1).map((bytes, i) => bytes - looks[i]!)));
process.exit();
