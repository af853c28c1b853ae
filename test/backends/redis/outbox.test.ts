/** The replies of Redis to an outbox, and the batches that follow each. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { FamilyDescriptor } from 'metheus';
import { settingsOf } from '#metheus/backends/redis/config.js';
import { keysOf, type RedisContext } from '#metheus/backends/redis/family-hash.js';
import { PerWriterOutbox } from '#metheus/backends/redis/per-writer.js';
import { ServerClock } from '#metheus/system/clock.js';
import { makeFamily } from '../contract.js';

describe('an outbox', () => {
  let replies: string[];
  /** Batches: how often the producer has joined, the sequence number, and the number of fields. */
  let sent: { readonly joins: number; readonly sequence: number; readonly fields: number }[];
  let identity: string;
  let isCompacted: boolean;
  let before: string;
  let joins: number;
  let outbox: PerWriterOutbox;
  let pages: Float64Array[];
  let context: RedisContext;

  beforeEach(() => {
    replies = [];
    sent = [];
    identity = 'identity';
    isCompacted = false;
    before = '';
    joins = 0;
    const run = async (_script: unknown, _key: string, args: readonly (string | number)[]) => {
      // Reading all fields begins at the cursor 0.
      if (args[0] === '0') return ['0', '', []];
      // Joining has three arguments, a batch has more: producer, token, sequence, expiry, deletions, then fields and values.
      if (args.length === 3) {
        joins += 1;
        return [`${identity}/${args[2]}`, before, isCompacted ? '1' : '0'];
      }
      sent.push({ joins, sequence: Number(args[2]), fields: (args.length - 5) / 2 });
      return replies.shift() ?? 'ok';
    };
    context = {
      producer: 'producer',
      connection: { run, call: async () => 1 },
      settings: settingsOf({}),
      keys: keysOf('test'),
    } as unknown as RedisContext;
    outbox = new PerWriterOutbox(
      makeFamily({ type: 'gauge', merge: 'max', cells: 2 }),
      'producer',
      new ServerClock(),
    );
    pages = ['x', 'y'].map((label) => {
      const page = new Float64Array(2);
      outbox.add({ page, offset: 0 }, [label], undefined);
      return page;
    });
  });

  /** Changes one of two series, and flushes. */
  async function flush() {
    pages[0]![0]! += 1;
    return outbox.flush(context);
  }

  const FIRST = { joins: 1, sequence: 1, fields: 2 };

  it('sends the next batch when one was applied or seen, and none without changes', async () => {
    replies = ['ok', 'seen'];
    for (let i = 0; i < 3; i++) assert.equal(await flush(), undefined);
    assert.equal(await outbox.flush(context), undefined);
    assert.deepEqual(sent, [
      FIRST,
      { ...FIRST, sequence: 2, fields: 1 },
      { ...FIRST, sequence: 3, fields: 1 },
    ]);
  });

  it('joins again and sends all values when the hash does not know the token', async () => {
    replies = ['ok', 'unknown'];
    await flush();
    before = 'identity/0 7';
    assert.equal(await flush(), 'earlier');
    assert.deepEqual(sent.slice(1), [
      { ...FIRST, sequence: 2, fields: 1 },
      { ...FIRST, joins: 2 },
    ]);
    assert.equal(outbox.joins, 1);
  });

  it('joins again and sends all values when the hash is lost', async () => {
    replies = ['ok', 'lost'];
    await flush();
    identity = 'other';
    assert.equal(await flush(), 'lost');
    assert.deepEqual(sent.slice(2), [{ ...FIRST, joins: 2 }]);
    assert.equal(outbox.joins, 1);
  });

  it('reports no loss after compaction', async () => {
    replies = ['ok', 'unknown'];
    await flush();
    isCompacted = true;
    assert.equal(await flush(), undefined);
    assert.deepEqual(sent.slice(2), [{ ...FIRST, joins: 2 }]);
    assert.equal(outbox.joins, 2);
  });

  it('ends a flush in which the hash is lost again and again, and goes on at the next one', async () => {
    replies = ['lost', 'lost', 'lost', 'ok'];
    await assert.rejects(flush(), /^Error: the hash is lost again and again$/);
    await flush();
    assert.deepEqual(
      sent.map(({ joins, sequence }) => [joins, sequence]),
      [
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
      ],
    );
  });

  it('keeps a batch whose reply is not one of the protocol', async () => {
    replies = ['ok', 'fine'];
    await flush();
    await assert.rejects(flush(), /unexpected reply: fine/);
    await flush();
    assert.deepEqual(
      sent.map(({ sequence }) => sequence),
      [1, 2, 2, 3],
    );
  });

  for (const [family, given, expected] of [
    [{ type: 'gauge', merge: 'max', cells: 2 }, [7, 5000], [7, 1400]],
    [{ type: 'gauge', merge: 'max', cells: 2 }, [7, 1], [7, 1]],
    [{ type: 'gauge', merge: 'max', cells: 2 }, [7, 9999], [7, 1600]],
    [{ type: 'parts', merge: 'newest', cells: 2, bounds: [60, 5] }, [83, 4], [23, 4]],
  ] as const) {
    it(`sends times by the clock of the server: ${given} of a family with the merge rule ${family.merge}`, async () => {
      // The clock of this machine is an hour ahead.
      const clock = new ServerClock(() => 5200);
      clock.adjust(1600, 5200);
      const one = new PerWriterOutbox(makeFamily(family as Partial<FamilyDescriptor>), 'producer', clock);
      one.add({ page: Float64Array.from(given), offset: 0 }, ['x'], undefined);
      one.startScan();
      assert.deepEqual(one.next()!.sets[1]!.split(' ').map(Number), expected);
    });
  }
});
