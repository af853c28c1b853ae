/**
 * Workers that count, half of them terminated at random: a scrape has everything that they counted.
 *
 * Each worker also counts in a plain cell of shared memory after each `inc`. A thread is terminated only at the start of
 * a function or loop, so that both cells are always equal.
 */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { generateMetrics } from 'metheus';
import { gone, startWorker } from '../../support/workers.js';

const WORKERS = 8;
const INCREMENTS = 100_000;
/** A round takes 300 ms on two cores, mostly to start threads. */
const ROUNDS = process.env.CI === 'true' ? 200 : 20;

/** Returns a deterministic generator of numbers from 0 to 1: https://en.wikipedia.org/wiki/Linear_congruential_generator */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

it(`${ROUNDS} rounds of ${WORKERS} workers, half of them terminated`, { timeout: 900_000 }, async (t) => {
  const next = random(2);
  // Bundled into one file, since reading forty modules takes as long as starting a thread.
  const outfile = resolve('build', `rounds-${process.pid}.mjs`);
  const external = ['./file/*', './redis/*'];
  buildSync({
    entryPoints: ['build/src/index.js'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    external,
  });
  t.after(() => rmSync(outfile));
  const metheus = pathToFileURL(outfile).href;
  let expected = 0;
  let cut = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const counted = new Float64Array(new SharedArrayBuffer(WORKERS * Float64Array.BYTES_PER_ELEMENT));
    const workers = Array.from({ length: WORKERS }, (_, index) =>
      startWorker(
        ({ createCounter }, { data }) => {
          const { counted, index, increments } = data;
          const counter = createCounter('rounds_total', 'R.', { requiredLabels: ['a'] });
          const labels = Array.from({ length: 100 }, (_, a) => ({ a: String(a) }));
          for (let i = 0; i < increments; i++) {
            counter.labels(labels[i % 100]!).inc();
            counted[index]! += 1;
          }
        },
        { counted, index, increments: INCREMENTS },
        metheus,
      ),
    );
    const exits = Promise.all(workers.map(gone));
    // Every second worker is terminated at a random count, some of them before they count.
    let victims = workers.flatMap((worker, index) =>
      index % 2 === 0 ? [] : [{ worker, index, at: Math.max(0, next() * 1.1 - 0.1) * INCREMENTS }],
    );
    while (victims.length > 0) {
      await new Promise(setImmediate);
      do {
        victims = victims.filter(({ worker, index, at }) => {
          if (counted[index]! < at) return true;
          worker.terminate();
          return false;
        });
        // Counting takes a millisecond, so a worker that has begun is watched without a pause.
      } while (victims.some(({ index }) => counted[index]! > 0));
    }
    const codes = await exits;
    for (const [index, code] of codes.entries()) {
      if (index % 2 === 0) assert.deepEqual([code, counted[index]], [0, INCREMENTS]);
      else if (counted[index]! < INCREMENTS) cut += 1;
    }
    expected += counted.reduce((sum, count) => sum + count, 0);
    const text = await generateMetrics();
    const total = [...text.matchAll(/^rounds_total\{.*\} (\d+)$/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
    assert.equal(total, expected, `after round ${round}`);
  }
  t.diagnostic(`${cut} of ${(ROUNDS * WORKERS) / 2} were terminated while they counted`);
  assert.ok(cut > 0, 'no worker was terminated while it counted');
});
