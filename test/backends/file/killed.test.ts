/** The numbers of a process stay, however it ends. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MultiProcessFileBackend } from 'metheus/backends/file';
import {
  Child,
  filesIn,
  IN_CI,
  makeDirectory,
  onlyValue,
  openBackend,
  readStranger,
  startObeying,
} from './support.js';

const ROUNDS = IN_CI ? 60 : 12;

/** Returns the number of series by process. Throws when one is missing or partial. */
async function seriesCounts(backend: MultiProcessFileBackend): Promise<Map<string, number>> {
  const counts = new Map<string, { n: number; highest: number; sum: number }>();
  for (const [labels, [value]] of await readStranger(backend, 'each_total')) {
    const { process, i } = /process=(?<process>\d+),i=(?<i>\d+)$/.exec(labels)!.groups!;
    const count = counts.get(process!) ?? { n: 0, highest: -1, sum: 0 };
    counts.set(process!, count);
    count.n += 1;
    count.highest = Math.max(count.highest, Number(i));
    count.sum += value!;
  }
  for (const { n, highest, sum } of counts.values()) {
    assert.equal(n, highest + 1, 'no series is missing between others');
    assert.ok(sum === n || sum === n - 1, `each was counted once, but perhaps the last: ${sum} of ${n}`);
  }
  return new Map([...counts].map(([process, { n }]) => [process, n]));
}

/** Starts and kills one process after the other in one directory, which is read meanwhile. */
async function killSome(t: TestContext, firstRound: number, rounds: number): Promise<void> {
  const directory = makeDirectory(t);
  const backend = await openBackend(t, { directory, readOnly: true });
  const counted = new Map<string, number>();
  for (let round = firstRound; round < firstRound + rounds; round++) {
    const child = new Child(t, 'many-series-writer', { args: [directory] });
    await child.hear();
    const end = performance.now() + ((round * 37) % 40);
    do {
      await seriesCounts(backend);
      await sleep(1);
    } while (performance.now() < end);
    await child.kill();
    const told = Number(child.output.trim().split('\n').at(-1) || -1);
    const counts = await seriesCounts(backend);
    const mine = counts.get(String(child.process.pid)) ?? 0;
    assert.ok(mine > told, `${told} were told of, ${mine} are there`);
    for (const [process, n] of counted)
      assert.equal(counts.get(process) ?? 0, n, 'the dead stay as they are');
    counted.set(String(child.process.pid), mine);
  }
  const check = async () => {
    const all = [...counted.values()].reduce((a, b) => a + b, 0);
    const total = (await onlyValue(backend, 'appended_total'))!;
    assert.ok(total >= all && total <= all + rounds, `${total} were counted in ${all} series`);
    assert.equal(await onlyValue(backend, 'metheus_backend_errors_total'), 0);
  };
  await check();
  await (await openBackend(t, { directory })).compact();
  assert.equal(filesIn(directory).length, 1);
  await check();
}

describe('a process that is killed while it creates series', () => {
  it(`leaves whole records and every number, ${ROUNDS} times, under a reader`, async (t) => {
    for (let round = 0; round < ROUNDS; round += 3) await killSome(t, round, 3);
  });
});

describe('a process that ends', () => {
  for (const how of ['exit', 'drain', 'throw', 'reject', 'signal']) {
    it(`keeps what its exit handlers count when it ends by ${how}`, async (t) => {
      const directory = makeDirectory(t);
      const child = new Child(t, 'late-writer', { args: [directory, how] });
      await child.exited;
      const backend = await openBackend(t, { directory, readOnly: true });
      const seen = Object.fromEntries(
        (await readStranger(backend, 'exits_total')).map(([labels, [value]]) => [
          labels.slice('at='.length),
          value,
        ]),
      );
      const always = { start: 1, 'exit before': 1, 'exit after': 1, 'thread at exit': 1 };
      const more: Record<string, object> = {
        drain: { beforeExit: 1 },
        throw: { uncaught: 1 },
        reject: { uncaught: 1 },
      };
      assert.deepEqual(seen, how === 'signal' ? { start: 1 } : { ...always, ...more[how] });
    });
  }

  it('is counted once with its workers, before and after it had metrics', async (t) => {
    const directory = makeDirectory(t);
    const child = new Child(t, 'cluster', { args: [directory] });
    assert.deepEqual(await child.hear(), { primary: 111, worker: 111 });
    await child.exited;
    const reader = await startObeying(t, undefined);
    await reader.ask({ do: 'load', config: { directory, readOnly: true } });
    assert.match(await reader.ask<string>({ do: 'scrape' }), /^forked_total 111$/m);
  });
});
