/** The cluster example: it serves what clients received, with one worker killed half-way. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
// Builds the examples together with this test.
import type {} from '../../../examples/cluster/main.js';
import { samplesOf } from './support.js';

describe('examples/cluster', () => {
  it('prints the merged totals and exits', () => {
    const main = fileURLToPath(new URL('../../../examples/cluster/main.js', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [main], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    assert.match(lines.shift()!, /^Metrics: http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    assert.equal(lines.pop(), 'Clients got 600 answers.');
    assert.deepEqual(samplesOf(lines.join('\n')), {
      'http_request_duration_seconds_count{route="/"}': 300,
      'http_request_duration_seconds_count{route="/report"}': 150,
      'http_requests_total{route="/",status="200"}': 300,
      'http_requests_total{route="/report",status="200"}': 150,
      'http_requests_total{route="unknown",status="404"}': 150,
    });
  });
});
