/** `MultiProcessFileBackend` passes the contract's suite, with and without koffi. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { backendContract, removalContract, sharedExemplarsContract } from '../contract.js';
import { MAPPINGS } from './support.js';

const root = mkdtempSync(join(tmpdir(), 'metheus-contract-'));
after(() => rmSync(root, { recursive: true }));

let directories = 0;

for (const [name, get] of MAPPINGS) {
  for (const emptyFor of [0, 1000]) {
    backendContract(`MultiProcessFileBackend, ${name}, places empty for ${emptyFor} ms`, async () => {
      directories += 1;
      const directory = join(root, String(directories));
      const backend = new MultiProcessFileBackend({ directory }, { mapping: get(), emptyFor });
      await backend.open({ migrate() {} });
      return backend;
    });
  }
  const makeStorage = () => {
    directories += 1;
    const directory = join(root, String(directories));
    return async () => {
      const backend = new MultiProcessFileBackend({ directory }, { mapping: get() });
      await backend.open({ migrate() {} });
      return backend;
    };
  };
  removalContract(`MultiProcessFileBackend, ${name}`, makeStorage);
  sharedExemplarsContract(`MultiProcessFileBackend, ${name}`, makeStorage);
  backendContract(`MultiProcessFileBackend, ${name}, in memory`, async () => {
    const backend = new MultiProcessFileBackend({ directory: '/proc/no/such' }, { mapping: get() });
    await backend.open({ migrate() {} });
    return backend;
  });
}
