/** A producer of one counter, for tests of what a Redis server does to its numbers. */
import type { FamilyDescriptor, FamilySnapshot } from 'metheus';
import type { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { familyId } from '#metheus/backends/redis/family-hash.js';
import { makeFamily, rowsOf } from '../contract.js';
import { openBackend, optionsFor } from './server.js';

/** A backend that counts in one family without labels. */
export interface CountingProducer {
  readonly backend: MultiProcessRedisBackend;
  readonly family: FamilyDescriptor;
  readonly key: string;
  inc(by?: number): void;
  /** Returns the value in a scrape, and whether Redis is up. */
  read(): Promise<[value: number | undefined, up: number]>;
}

/** Opens a backend that flushes on demand and reconnects at once. */
export async function startProducer(to: { port: number }, given: object = {}): Promise<CountingProducer> {
  const options = optionsFor(to, { ioredis: { retryStrategy: () => 20 }, ...given });
  const backend = await openBackend(options);
  const family = makeFamily({ labelNames: [] });
  const { page, offset } = backend.reserve({ family, labels: [] });
  const numberOf = (snapshot: FamilySnapshot) => rowsOf(snapshot)[0]?.[1][0];
  return {
    backend,
    family,
    key: `${options.keyPrefix}:{${familyId(family)}}`,
    inc: (by = 1) => {
      page[offset]! += by;
    },
    read: async () => {
      const snapshots = await backend.snapshot({ families: [family], scopes: [''] });
      const up = snapshots.find((snapshot) => snapshot.family.name === 'metheus_backend_up')!;
      return [numberOf(snapshots[0]!), numberOf(up)!];
    },
  };
}
