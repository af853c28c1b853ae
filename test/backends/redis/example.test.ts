/** The example with two machines and an exporter. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
// Has the examples be built together with this test.
import type {} from '../../../examples/machines/main.js';
import { requireTool } from '../../support/tools.js';
import { samplesOf } from '../file/support.js';

describe('examples/machines', { skip: requireTool('redis-server') }, () => {
  it('prints the totals of both and ends by itself', () => {
    const main = fileURLToPath(new URL('../../../examples/machines/main.js', import.meta.url));
    const { REDIS_URL: _, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [main], {
      encoding: 'utf8',
      timeout: 60_000,
      env,
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    const counted = lines.splice(0, 2).map((line) => line.replace(/ in .*$/, ''));
    assert.deepEqual(counted.sort(), ['300 orders counted', '450 orders counted']);
    assert.deepEqual(samplesOf(lines.join('\n')), {
      'orders_total{country="de"}': 250,
      'orders_total{country="fr"}': 500,
      'order_items_bucket{le="1"}': 150,
      'order_items_bucket{le="3"}': 450,
      'order_items_bucket{le="10"}': 750,
      'order_items_bucket{le="+Inf"}': 750,
      order_items_sum: 2250,
      order_items_count: 750,
      'progress_completed_total{bucket="Taking orders",unit="order"}': 750,
      'progress_finished_bars_total{bucket="Taking orders"}': 2,
    });
  });
});
