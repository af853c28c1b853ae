/** The families that metrics reserve cells for are valid by the rules for families that a backend reads from storage. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  createInfo,
  createStateSet,
  createSummary,
  type FamilyDescriptor,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import type { CellRequest } from 'metheus/backends';
import { TqdmPromProxy } from 'metheus/progress';
import { BACKEND_ERRORS } from '#metheus/backends/backend.js';
import { GAUGE_MODES } from '#metheus/model/metric-types.js';
import { isStoredFamily } from '#metheus/model/stored-family.js';

it('every family of this program is valid when another program reads it', async () => {
  const families = new Set<FamilyDescriptor>();
  class Recording extends SingleProcessBackend {
    override reserve(request: CellRequest) {
      families.add(request.family);
      return super.reserve(request);
    }
  }
  await loadBackend(Recording);
  const registry = new CollectorRegistry({ prefix: 'app_' });
  createCounter('plain_total', '').inc();
  createCounter('sent_bytes_total', 'Help "\n.', { unit: 'bytes', registry, requiredLabels: ['pid'] })
    .labels({ pid: 1 })
    .inc();
  createCounter('größe', 'UTF-8.', { utf8Names: true, requiredLabels: ['länge', 'a b'] })
    .labels({ länge: '', 'a b': '' })
    .inc();
  for (const multiprocessMode of GAUGE_MODES) createGauge(multiprocessMode, '', { multiprocessMode }).set(1);
  createHistogram('h', '').observe(1);
  createHistogram('h_seconds', '', {
    unit: 'seconds',
    buckets: [-1, -0, 1e300, Number.POSITIVE_INFINITY],
  }).observe(1);
  createHistogram('native', '', { native: true }).observe(1);
  createHistogram('native_bytes', '', { native: true, buckets: [1], unit: 'bytes', registry }).observe(1);
  createSummary('s', '').observe(1);
  createSummary('s_seconds', '', { quantiles: [0, 0.5, 1], unit: 'seconds' }).observe(1);
  createInfo('build', '', { requiredLabels: ['version'] }).info({ version: '1' });
  createStateSet('mode', '', { states: ['a', 'b'], requiredLabels: ['x'] })
    .labels({ x: 1 })
    .set('a');
  new TqdmPromProxy().tqdm(null, { disable: true }).update();
  assert.ok(families.size >= 25, String(families.size));
  assert.ok(![...families].some(({ name }) => name === BACKEND_ERRORS.name));
  for (const family of families)
    assert.ok(isStoredFamily(JSON.parse(JSON.stringify(family))), JSON.stringify(family));
});
