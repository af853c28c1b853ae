/** The states of an outbox: each reply of Redis, and the batches that follow it. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { settingsOf } from '#metheus/backends/redis/config.js';
import { keysOf, type RedisContext } from '#metheus/backends/redis/family-hash.js';
import { PerWriterOutbox } from '#metheus/backends/redis/per-writer.js';
import { makeFamily } from '../contract.js';

describe('an outbox', () => {
  let replies: string[];
  let sent: { readonly token: string; readonly sequence: number; readonly fields: number }[];
  let rollbacks: number[];
  let outbox: PerWriterOutbox;
  let pages: Float64Array[];
  let context: RedisContext;

  beforeEach(() => {
    replies = [];
    sent = [];
    rollbacks = [];
    let joins = 0;
    const run = async (_script: unknown, _key: string, args: readonly (string | number)[]) => {
      // Joining has two arguments, a batch has more: producer, token, sequence, expiry, deletions, then fields and values.
      if (args.length === 2) {
        joins += 1;
        return `identity/${joins}`;
      }
      sent.push({ token: String(args[1]), sequence: Number(args[2]), fields: (args.length - 5) / 2 });
      return replies.shift() ?? 'ok';
    };
    context = {
      producer: 'producer',
      connection: { run, call: async () => 1 },
      settings: settingsOf({}),
      keys: keysOf('test'),
      status: { reportRollback: (_family: unknown, flushes: number) => rollbacks.push(flushes) },
    } as unknown as RedisContext;
    outbox = new PerWriterOutbox(makeFamily({ type: 'gauge', merge: 'max', cells: 2 }), 'producer');
    pages = ['x', 'y'].map((label) => {
      const page = new Float64Array(2);
      outbox.add({ page, offset: 0 }, [label], undefined);
      return page;
    });
  });

  /** Changes one of two series, and flushes. */
  async function flush(): Promise<boolean> {
    pages[0]![0]! += 1;
    return outbox.flush(context);
  }

  const FIRST = { token: 'identity/1', sequence: 1, fields: 2 };

  it('sends the next batch when one was applied or seen, and none without changes', async () => {
    replies = ['ok', 'seen'];
    for (let i = 0; i < 3; i++) assert.equal(await flush(), false);
    assert.equal(await outbox.flush(context), false);
    assert.deepEqual(sent, [
      FIRST,
      { ...FIRST, sequence: 2, fields: 1 },
      { ...FIRST, sequence: 3, fields: 1 },
    ]);
  });

  it('joins again and repeats the batch when the hash does not know the token', async () => {
    replies = ['ok', 'unknown'];
    await flush();
    assert.equal(await flush(), false);
    const second = { ...FIRST, sequence: 2, fields: 1 };
    assert.deepEqual(sent, [FIRST, second, { ...second, token: 'identity/2' }]);
    assert.equal(outbox.joins, 2);
  });

  it('sends everything again, from batch 1, when the hash is lost', async () => {
    replies = ['ok', 'lost'];
    await flush();
    assert.equal(await flush(), true);
    assert.deepEqual(sent.slice(2), [{ ...FIRST, token: 'identity/2' }]);
    assert.equal(outbox.joins, 1);
  });

  it('reports an unexpected gap, and sends all values again', async () => {
    replies = ['ok', 'gap 3'];
    await flush();
    assert.equal(await flush(), false);
    assert.deepEqual(rollbacks, [3]);
    assert.deepEqual(sent.slice(2), [{ ...FIRST, sequence: 3 }]);
  });

  it('expects a gap after compaction, once', async () => {
    replies = ['ok', 'gap 1', 'gap 2'];
    await flush();
    outbox.expectGap();
    await flush();
    assert.deepEqual(rollbacks, []);
    assert.deepEqual(sent.slice(1), [{ ...FIRST, sequence: 2 }]);
    await flush();
    assert.deepEqual(rollbacks, [2]);
  });

  it('ends a flush in which the hash is lost twice, and repeats the batch at the next one', async () => {
    replies = ['lost', 'lost', 'ok'];
    await assert.rejects(flush(), /^Error: Redis keeps answering 'lost' for the metric 'family_\d+'$/);
    assert.equal(await flush(), false);
    assert.deepEqual(
      sent.map(({ sequence }) => sequence),
      [1, 1, 1, 2],
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
});
