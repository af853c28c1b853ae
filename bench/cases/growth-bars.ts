/** How costs grow with the number of open bars. */
import { CollectorRegistry, generateMetrics } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';
import { type Case, expectEqual, perRound } from '../case.js';
import { sumOf } from '../workload/exposition-samples.js';
import { type Points, pointsOf } from './curve-points.js';

const BARS = [1, 10, 100, 1000, 10_000];
const file = { write: () => true, isTTY: true, columns: 80 };

function openBars(proxy: TqdmPromProxy, count: number) {
  return Array.from({ length: count }, (_, i) =>
    proxy.tqdm(null, { desc: `Bar ${i % 100}`, total: 1e9, file }),
  );
}

const updateAgainstBars: Points = {
  curve: { name: 'bar.update(1) on open bars in turn', x: 'bars', unit: 'ns', file: 'bars' },
  at: BARS,
  quickly: [1, 100],
  ours(x, size) {
    const bars = openBars(new TqdmPromProxy(), x);
    let next = 0;
    const loop = (rounds: number) => {
      for (let i = 0; i < rounds; i++) {
        bars[next]!.update(1);
        next = next + 1 === bars.length ? 0 : next + 1;
      }
    };
    return {
      check() {
        loop(x * 3);
        for (const bar of bars) expectEqual('n', bar.n, 3);
      },
      run: perRound(loop, size),
    };
  },
};

const scrapeAgainstBars: Points = {
  curve: { name: 'scrape of open bars in 100 buckets', x: 'bars', unit: 'ms', file: 'bars-scrape' },
  at: BARS,
  quickly: [1, 100],
  ours(x) {
    const proxy = new TqdmPromProxy();
    for (const bar of openBars(proxy, x)) bar.update(2);
    const registry = new CollectorRegistry({ scope: 'bench' });
    registry.register(proxy);
    return {
      async check() {
        const text = await generateMetrics(registry);
        const lines = text.split('\n').filter((line) => line.startsWith('progress_completed_total{'));
        expectEqual('work', sumOf(lines.join('\n')), x * 2);
      },
      async run() {
        const start = performance.now();
        await generateMetrics(registry);
        return performance.now() - start;
      },
    };
  },
};

export const CASES: readonly Case[] = [updateAgainstBars, scrapeAgainstBars].flatMap(pointsOf);
