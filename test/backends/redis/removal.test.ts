/** Removing many series takes time in proportion to their number. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SumOutbox } from '#metheus/backends/redis/sum-outbox.js';
import { makeFamily } from '../contract.js';

/** Returns the processor time in which an outbox sends the removal of all of its series. */
function timeOfRemoval(count: number): number {
  const outbox = new SumOutbox(makeFamily());
  const page = new Float64Array(count);
  for (let offset = 0; offset < count; offset++) outbox.add({ page, offset }, [String(offset)], undefined);
  const sendAll = () => {
    let sent = 0;
    outbox.startScan();
    for (let batch = outbox.next(); batch !== undefined; batch = outbox.next()) {
      sent += batch.series.length;
      outbox.acknowledge(batch);
    }
    return sent;
  };
  assert.equal(sendAll(), count);
  const start = process.cpuUsage();
  for (let offset = 0; offset < count; offset++) outbox.remove({ page, offset }, 'removed');
  assert.equal(sendAll(), 2 * count, 'numbers are taken back, then series are removed');
  assert.equal(outbox.hasReleased, false);
  return process.cpuUsage(start).user;
}

describe('the removal of many series', () => {
  it('takes time in proportion to their number', () => {
    timeOfRemoval(5_000);
    const best = (count: number) => Math.min(...[1, 2, 3].map(() => timeOfRemoval(count)));
    const few = best(5_000);
    const many = best(40_000);
    // Eight times the series: proportional work takes about 8 times as long, quadratic work 64 times. The processor
    // time is known to 10 ms only.
    assert.ok(many < 30 * Math.max(few, 10_000), `5,000 series: ${few} µs; 40,000 series: ${many} µs`);
  });
});
