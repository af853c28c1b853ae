/** Scrapes of many series run in time slices. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { turnsDuring } from '../../support/turns.js';
import { makeDirectory, onlyValue, openBackend, readStranger } from './support.js';
import { leaveFile } from './written-files.js';

const SERIES = 3000;
const FILES = 3;

/** Replaces the clock by one on which everything takes longer than a time slice. */
function slowClock(t: TestContext): void {
  let now = 0;
  t.mock.method(performance, 'now', () => (now += 100));
}

/** Sorts series by their labels. */
const expected = Array.from({ length: SERIES }, (_, i) => [`i=${i}`, [FILES]]).sort();

describe('a scrape of many series', () => {
  for (const [what, prepare] of [
    ['of the living and the dead', async () => {}],
    ['in an archive', (backend) => backend.compact()],
  ] as [string, (backend: Awaited<ReturnType<typeof openBackend>>) => Promise<void>][]) {
    it(`reads new series in time slices: ${what}`, async (t) => {
      const directory = makeDirectory(t);
      for (let i = 0; i < FILES; i++) leaveFile(directory, 1, SERIES);
      await prepare(await openBackend(t, { directory }));
      const reader = await openBackend(t, { directory, readOnly: true });
      slowClock(t);
      const turns = await turnsDuring(async () => {
        assert.deepEqual(await readStranger(reader, 'each_total'), expected);
      });
      // A slice ends after at most 64 records, or 1,024 merged rows.
      assert.ok(turns > SERIES / 64, `${turns} turns`);
      assert.deepEqual(await readStranger(reader, 'each_total'), expected);
    });
  }

  it('is right for concurrent readers, while files come, are compacted and closed', async (t) => {
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
