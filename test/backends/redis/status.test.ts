/** Warnings about a Redis that comes and goes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FamilySnapshot } from 'metheus';
import { RedisStatus, WarningLimit } from '#metheus/backends/redis/status.js';
import { rowsOf } from '../contract.js';

describe('a Redis that comes and goes', () => {
  it('causes a limited number of warnings, while every error is counted', async () => {
    const warnings: string[] = [];
    const listener = ({ message }: Error) => void warnings.push(message);
    process.removeAllListeners('warning');
    process.on('warning', listener);
    const status = new RedisStatus();
    for (let i = 0; i < 1000; i++) {
      status.reportOutage(new Error('connect ECONNREFUSED'));
      status.reportRecovery();
      status.reportLoss(['lost']);
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listener);
    const count = (text: string) => warnings.filter((warning) => warning.startsWith(text)).length;
    assert.equal(count('Redis is unavailable'), 5);
    assert.equal(count('Redis is available again'), 5, 'each reported outage has an end');
    assert.equal(count('Redis has lost one metric'), 5);
    assert.equal(warnings.filter((warning) => warning.endsWith('left out for some minutes.')).length, 2);
    const errors = status
      .snapshots()
      .find(({ family }: FamilySnapshot) => family.name === 'metheus_backend_errors_total');
    assert.deepEqual(
      rowsOf(errors!).filter(([, [value]]) => value! > 0),
      [
        ['kind=connection', [1000]],
        ['kind=lost', [1000]],
      ],
    );
  });

  it('is reported late if an outage outlasts the limit', async () => {
    const warnings: string[] = [];
    const listener = ({ message }: Error) => void warnings.push(message);
    process.on('warning', listener);
    let now = 0;
    const status = new RedisStatus(() => now);
    for (let i = 0; i < 10; i++) {
      status.reportRecovery();
      status.reportOutage(new Error('connect ECONNREFUSED'));
    }
    now = 600_000;
    for (let i = 0; i < 10; i++) status.reportOutage(new Error('still'));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listener);
    assert.equal(warnings.at(-1), 'Redis is unavailable, metrics are kept in memory: still');
    assert.equal(warnings.filter((warning) => warning.endsWith('still')).length, 1);
  });

  it('causes warnings again after ten minutes', () => {
    const limit = new WarningLimit();
    for (let i = 0; i < 9; i++) limit.next(0);
    assert.equal(limit.next(599_999), undefined);
    assert.equal(limit.next(600_000), '');
  });
});
