/** The contract of every backend, for the Redis backend. */
import { after, before, describe } from 'node:test';
import type { FamilySnapshot } from 'metheus';
import { LabelColumn, type SnapshotRequest } from 'metheus/backends';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { REMOVED, rowText } from '#metheus/model/label-column.js';
import { requireTool } from '../../support/tools.js';
import { backendContract, removalContract, sharedExemplarsContract } from '../contract.js';
import { optionsFor, type RedisServer, startRedis } from './server.js';

const skip = requireTool('redis-server');

/** Removes the producer from the `pid` labels, since the suite knows only the names of writers. */
class RedisBackendWithShortNames extends MultiProcessRedisBackend {
  override async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    return (await super.snapshot(request)).map(shorten);
  }
}

function shorten(snapshot: FamilySnapshot): FamilySnapshot {
  if (!['all', 'liveall'].includes(snapshot.family.merge)) return snapshot;
  const rows = new LabelColumn();
  const { lengths, size } = snapshot.rows;
  for (let row = 0; row < size; row++) {
    const isPresent = lengths[row] !== REMOVED;
    rows.add(isPresent ? rowText(snapshot.rows, row).replace(/pid="[^"]*?\//, 'pid="') : '');
  }
  for (let row = 0; row < size; row++) if (lengths[row] === REMOVED) rows.lengths[row] = REMOVED;
  return { ...snapshot, rows: rows.view() };
}

describe('MultiProcessRedisBackend', { skip }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  let prefixes = 0;
  removalContract('MultiProcessRedisBackend', () => {
    const options = optionsFor(server, { keyPrefix: `removal-${++prefixes}` });
    return async () => {
      const backend = new RedisBackendWithShortNames(options);
      await backend.open();
      return backend;
    };
  });

  sharedExemplarsContract('MultiProcessRedisBackend', () => {
    const options = optionsFor(server, { keyPrefix: `exemplars-${++prefixes}` });
    return async () => {
      const backend = new MultiProcessRedisBackend(options);
      await backend.open();
      return backend;
    };
  });

  backendContract('MultiProcessRedisBackend', async () => {
    const backend = new RedisBackendWithShortNames(optionsFor(server));
    await backend.open();
    return backend;
  });
});
