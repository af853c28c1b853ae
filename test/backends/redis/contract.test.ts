/** The Redis backend keeps the contract of every backend. */
import { after, before, describe } from 'node:test';
import type { FamilySnapshot } from 'metheus';
import { LabelColumn, type SnapshotRequest } from 'metheus/backends';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { REMOVED, rowText } from '#metheus/model/label-column.js';
import { requireTool } from '../../support/tools.js';
import { backendContract } from '../contract.js';
import { optionsFor, type RedisServer, startRedis } from './server.js';

const skip = requireTool('redis-server');

/** Writers are named behind their producer, which is unique in the world; the suite knows only the writers. */
class WithShortNames extends MultiProcessRedisBackend {
  override async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    return (await super.snapshot(request)).map(shorten);
  }
}

function shorten(snapshot: FamilySnapshot): FamilySnapshot {
  if (!['all', 'liveall'].includes(snapshot.family.merge)) return snapshot;
  const rows = new LabelColumn();
  const { lengths, size } = snapshot.rows;
  for (let row = 0; row < size; row++) {
    const isThere = lengths[row] !== REMOVED;
    rows.add(isThere ? rowText(snapshot.rows, row).replace(/pid="[^"]*?\//, 'pid="') : '');
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

  backendContract('MultiProcessRedisBackend', async () => {
    const backend = new WithShortNames(optionsFor(server));
    await backend.open();
    return backend;
  });
});
