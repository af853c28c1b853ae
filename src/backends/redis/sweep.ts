/** Sweeping up behind producers that are gone, so that a family does not grow with every job that ever ran. */
import type { Settings } from './config.js';
import { type Connection, isRefusal, Script } from './connection.js';
import { parseDescriptor } from './fields.js';
import type { Keys } from './keys.js';
import { FOLD, GONE_PRODUCERS } from './scripts.js';

const goneScript = new Script(GONE_PRODUCERS);
const foldScript = new Script(FOLD);

/**
 * Seconds until a producer without a goodbye is given up. It may only be cut off, with a batch that was applied
 * and whose reply was lost: as long as its number is kept, that batch does not count again.
 */
const GIVEN_UP = 7 * 24 * 3600;

/**
 * Folds what producers that are gone have left: those that have said goodbye, since nothing of theirs is on its way
 * then, after `heartbeat`, in which one that goes on after all would have come back. Any number of producers may do
 * so at once.
 */
export async function sweep(connection: Connection, settings: Settings, keys: Keys): Promise<void> {
  const { expireKeyTime, heartbeat } = settings;
  const ages = [heartbeat, Math.max(expireKeyTime, GIVEN_UP)].map(String);
  const gone = (await connection.run(goneScript, keys.producers, ages)) as string[];
  if (gone.length === 0) return;
  const names = gone.map((producer) => JSON.stringify(producer));
  const index = (await connection.call('HGETALL', keys.families)) as string[];
  for (let i = 0; i < index.length; i += 2) {
    const family = parseDescriptor(index[i + 1]!);
    if (family === undefined) continue;
    try {
      let cursor = '0';
      do {
        const ask = [family.merge, cursor, ...names];
        cursor = (await connection.run(foldScript, keys.numbers(index[i]!), ask)) as string;
      } while (cursor !== '0');
    } catch (error) {
      // A key of somebody else is told of where it is flushed to or read.
      if (!isRefusal(error)) throw error;
    }
  }
  await connection.call('ZREM', keys.producers, ...gone);
}
