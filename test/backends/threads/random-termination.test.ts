/**
 * Eight workers that count, half of them terminated at any moment: what they counted is what is scraped.
 *
 * Each worker also counts in a plain cell of shared memory, right after each `inc`. A thread is terminated at
 * the head of a function or of a loop only, so both cells are always in step.
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
/** A round costs 300 ms on two cores, nearly all of it for starting threads. */
const ROUNDS = process.env.CI === 'true' ? 200 : 20;

/** Numbers from 0 to 1 that are the same each time: https://en.wikipedia.org/wiki/Linear_congruential_generator */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

it(`${ROUNDS} rounds of ${WORKERS} workers, half of them terminated`, { timeout: 900_000 }, async (t) => {
  const next = random(2);
  // One file, since reading the package's forty modules takes as long as starting a thread.
  const outfile = resolve('build', `rounds-${process.pid}.mjs`);
  const external = ['./file/*', './redis/*'];
  buildSync({
    entryPoints: ['dist/index.js'],
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
    // Every second worker is terminated when it has counted so far: a few before they count at all.
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
