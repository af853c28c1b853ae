/** Exemplars in files: of processes that were killed, in broken records, and planted by others. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Exemplar, FamilyDescriptor } from 'metheus';
import type { MultiProcessFileBackend } from 'metheus/backends/file';
import { EXEMPLAR_BYTES } from '#metheus/backends/file/exemplar-records.js';
import { WrittenMapping } from '#metheus/backends/file/mapping.js';
import { FileWriter } from '#metheus/backends/file/writer.js';
import { crc32 } from '#metheus/system/checksum.js';
import { filesIn, makeDirectory, onlyValue, openBackend, readStranger } from './support.js';
import { COUNTED, patch } from './written-files.js';

const mapping = new WrittenMapping();

const EXEMPLAR: Exemplar = { labels: { id: 'x' }, value: 2, timestamp: 1_700_000_000 };

/** Writes the file of an ended process with an exemplar of a counter. */
function leaveExemplar(directory: string, family: FamilyDescriptor = COUNTED): FileWriter {
  const file = new FileWriter(directory, mapping);
  const cells = file.reserve({ family, labels: family.labelNames.map(() => '') });
  cells.page[cells.offset] = 1;
  file.putExemplar(cells, 0, EXEMPLAR);
  file.close();
  return file;
}

async function exemplarsOf(backend: MultiProcessFileBackend, family = COUNTED): Promise<Exemplar[]> {
  const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
  return [...(snapshot!.exemplars?.values() ?? [])];
}

/** Returns the offset of the exemplar's record, which is the last one. */
function recordIn(path: string): number {
  return readFileSync(path).readInt32LE(20) - EXEMPLAR_BYTES;
}

describe('exemplars in files', () => {
  it('of an ended process are shown until its file is compacted', async (t) => {
    const directory = makeDirectory(t);
    leaveExemplar(directory);
    const backend = await openBackend(t, { directory });
    assert.deepEqual(await exemplarsOf(backend), [EXEMPLAR]);
    await backend.compact();
    assert.equal(filesIn(directory).length, 1);
    assert.equal(await onlyValue(backend, 'counted_total'), 1);
    assert.deepEqual(await exemplarsOf(backend), []);
  });

  it('are written by the process that has the cells, and read by one that only reads', async (t) => {
    const directory = makeDirectory(t);
    const writer = await openBackend(t, { directory });
    const reader = await openBackend(t, { directory, readOnly: true });
    const cells = writer.reserve({ family: COUNTED, labels: [] });
    for (const id of ['short', 'a much longer text', '']) {
      const exemplar = { ...EXEMPLAR, labels: { id } };
      writer.putExemplar(COUNTED, cells, 0, exemplar);
      await writer.flush();
      assert.deepEqual(await exemplarsOf(reader), [exemplar]);
    }
    writer.putExemplar(COUNTED, cells, 0, { ...EXEMPLAR, timestamp: 1 });
    await writer.flush();
    assert.deepEqual((await exemplarsOf(reader))[0]!.labels, { id: '' }, 'an older one is not written');
  });

  it('are left out if any byte of their record is wrong, and nothing else is', async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 8, max: EXEMPLAR_BYTES - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const directory = makeDirectory(t);
          const { path } = leaveExemplar(directory);
          const byte = recordIn(path) + at;
          patch(path, byte, Uint8Array.of(readFileSync(path)[byte]! ^ change));
          const backend = await openBackend(t, { directory });
          const shown = await exemplarsOf(backend);
          assert.ok(shown.length === 0 || JSON.stringify(shown) === JSON.stringify([EXEMPLAR]));
          assert.equal(await onlyValue(backend, 'counted_total'), 1);
          await backend.close();
        },
      ),
      { seed: 37, numRuns: 60 },
    );
  });

  for (const [what, plant] of [
    ['labels that are no object', { text: '["a"]' }],
    ['labels that are not JSON', { text: '{"a":' }],
    ['a label name that readers refuse', { text: '{"a b":"1"}' }],
    ['a label value that is no text', { text: '{"a":1}' }],
    ['more labels than are allowed', { text: JSON.stringify({ a: 'x'.repeat(128) }) }],
    ['a text longer than its record', { textLength: 100_000 }],
    ['a negative length', { textLength: -1 }],
    ['a cell that has no exemplars', { cell: 1 }],
    ['a negative cell', { cell: -1 }],
    ['a value that is no number', { value: Number.NaN }],
    ['an infinite time', { timestamp: Number.POSITIVE_INFINITY }],
    ['a time in the far future', { timestamp: 5e9 }],
    ['a series beyond the file', { series: 1 << 30 }],
    ['a series at a place without a record', { series: 104 }],
    ['a series before the file', { series: -8 }],
    ['a series of another state', { state: 0x201 }],
  ] as const) {
    it(`with ${what} are left out, although their CRC is right`, async (t) => {
      const directory = makeDirectory(t);
      const { path } = leaveExemplar(directory);
      const at = recordIn(path);
      const record = readFileSync(path).subarray(at, at + EXEMPLAR_BYTES);
      const given: Record<string, unknown> = { ...plant };
      if (given.text !== undefined) {
        const text = Buffer.from(given.text as string);
        record.set(text, 48);
        record.writeInt32LE(text.length, 12);
      }
      for (const [field, offset] of [
        ['textLength', 12],
        ['cell', 20],
        ['series', 32],
        ['state', 36],
      ] as const) {
        if (given[field] !== undefined) record.writeInt32LE(given[field] as number, offset);
      }
      if (given.timestamp !== undefined) record.writeDoubleLE(given.timestamp as number, 24);
      if (given.value !== undefined) record.writeDoubleLE(given.value as number, 40);
      const length = Math.min(Math.max(record.readInt32LE(12), 0), EXEMPLAR_BYTES - 48);
      record.writeInt32LE(crc32(record.subarray(12, 48 + length)) | 0, 8);
      patch(path, at, record);
      const backend = await openBackend(t, { directory });
      assert.deepEqual(await exemplarsOf(backend), []);
      assert.equal(await onlyValue(backend, 'counted_total'), 1);
      const errors = await readStranger(backend, 'metheus_backend_errors_total');
      assert.ok(errors.every(([, [count]]) => count === 0));
    });
  }
});
