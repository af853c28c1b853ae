/** The custom backend of the documentation: the contract, and its own promises. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { FamilyDescriptor } from 'metheus';
import { JsonFileBackend } from '../../examples/custom-backend/json-file-backend.js';
import { backendContract, makeFamily, removalContract, rowsOf } from './contract.js';

const directory = mkdtempSync(join(tmpdir(), 'metheus-json-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;
const newFile = () => join(directory, `${files++}.json`);

async function open(file: string): Promise<JsonFileBackend> {
  const backend = new JsonFileBackend({ file, interval: 1e6 });
  await backend.open();
  return backend;
}

backendContract('JsonFileBackend', () => open(newFile()));
removalContract(
  'JsonFileBackend',
  () => {
    const file = newFile();
    return () => open(file);
  },
  { isShared: false },
);

describe('JsonFileBackend', () => {
  const read = async (backend: JsonFileBackend, family: FamilyDescriptor) =>
    rowsOf((await backend.snapshot({ families: [family], scopes: [] }))[0]!);

  it('continues after restarts', async () => {
    const file = newFile();
    const family = makeFamily({ labelNames: ['a', 'b'], cells: 2, type: 'summary' });
    const gauge = makeFamily({ type: 'gauge', cells: 2, merge: 'shared' });
    for (let round = 1; round <= 3; round++) {
      const backend = await open(file);
      for (const writer of [{}, { writer: { id: 'w', live: true } }]) {
        const { page, offset } = backend.reserve({ family, labels: ['"\\\n', '😀'], ...writer });
        page.set([1, 10], offset);
      }
      const { page, offset } = backend.reserve({ family: gauge, labels: ['x'] });
      page.set([round, 1e9], offset);
      assert.deepEqual(await read(backend, family), [['a="\\\n,b=😀', [2 * round, 20 * round]]]);
      assert.deepEqual(await read(backend, gauge), [['a=x', [round, 1e9]]]);
      await backend.close();
    }
  });

  it('shows series that only an earlier run has counted', async () => {
    const file = newFile();
    const family = makeFamily({ labelNames: [] });
    const first = await open(file);
    const { page, offset } = first.reserve({ family, labels: [] });
    page[offset] = Number.POSITIVE_INFINITY;
    await first.close();
    const second = await open(file);
    const snapshots = await second.snapshot({ families: [], scopes: [''] });
    assert.deepEqual(
      snapshots.map((snapshot) => [snapshot.family, rowsOf(snapshot)]),
      [[family, [['', [Number.POSITIVE_INFINITY]]]]],
    );
    await second.close();
  });

  it('does not open a broken file, and does not change it', async () => {
    const file = newFile();
    writeFileSync(file, '[{');
    const backend = new JsonFileBackend({ file });
    await assert.rejects(backend.open(), SyntaxError);
    assert.equal(readFileSync(file, 'utf8'), '[{');
  });

  it('continues to count when it cannot write', async () => {
    const warnings: string[] = [];
    const listen = ({ message }: Error) => warnings.push(message);
    process.on('warning', listen);
    const backend = await open(join(directory, 'no', 'such', 'directory.json'));
    const family = makeFamily();
    const { page, offset } = backend.reserve({ family, labels: ['x'] });
    page[offset] = 1;
    await backend.flush();
    page[offset]! += 1;
    await new Promise(setImmediate);
    process.off('warning', listen);
    assert.deepEqual(await read(backend, family), [['a=x', [2]]]);
    assert.match(warnings.join(), /^Metrics were not written: ENOENT/);
    await backend.close();
  });
});
