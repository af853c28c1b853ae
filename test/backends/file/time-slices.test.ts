/** Reading much, and the event loop: a scrape of many series gives it back all the while. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { turnsDuring } from '../../support/turns.js';
import { makeDirectory, onlyValue, openBackend, readStranger } from './support.js';
import { leaveFile } from './written-files.js';

const SERIES = 3000;
const FILES = 3;

/** A clock on which everything takes longer than a turn. */
function slowClock(t: TestContext): void {
  let now = 0;
  t.mock.method(performance, 'now', () => (now += 100));
}

/** Sorted by their labels, as they are read. */
const expected = Array.from({ length: SERIES }, (_, i) => [`i=${i}`, [FILES]]).sort();

describe('a scrape of many series', () => {
  for (const [what, prepare] of [
    ['of the living and the dead', async () => {}],
    ['in an archive', (backend) => backend.compact()],
  ] as [string, (backend: Awaited<ReturnType<typeof openBackend>>) => Promise<void>][]) {
    it(`takes in what is new in turns: ${what}`, async (t) => {
      const directory = makeDirectory(t);
      for (let i = 0; i < FILES; i++) leaveFile(directory, 1, SERIES);
      await prepare(await openBackend(t, { directory }));
      const reader = await openBackend(t, { directory, readOnly: true });
      slowClock(t);
      const turns = await turnsDuring(async () => {
        assert.deepEqual(await readStranger(reader, 'each_total'), expected);
      });
      // A turn ends after 64 records at the latest, and after 1,024 rows that are merged.
      assert.ok(turns > SERIES / 64, `${turns} turns`);
      assert.deepEqual(await readStranger(reader, 'each_total'), expected);
    });
  }

  it('is right for all who ask at the same time, and while files come, are compacted and closed', async (t) => {
    const directory = makeDirectory(t);
    for (let i = 0; i < FILES; i++) leaveFile(directory, 1, SERIES);
    const backend = await openBackend(t, { directory });
    const reader = await openBackend(t, { directory, readOnly: true });
    slowClock(t);
    const scrapes = [1, 2, 3].map(() => readStranger(reader, 'each_total'));
    const compacted = backend.compact();
    leaveFile(directory, 5);
    for (const scrape of scrapes) assert.deepEqual(await scrape, expected);
    await compacted;
    assert.equal(await onlyValue(reader, 'counted_total'), FILES + 5);
    assert.equal(await onlyValue(reader, 'metheus_backend_errors_total'), 0);

    const late = await openBackend(t, { directory, readOnly: true });
    const last = readStranger(late, 'each_total');
    await late.close();
    assert.deepEqual(await last, expected);
  });
});
