/** `/debug`: the buckets of a proxy and all open bars, as JSON. */

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CollectorRegistry } from 'metheus';
import { startMetricsServer } from 'metheus/http';
import { progressEnv, type TqdmPromProxy, tqdm } from 'metheus/progress';
import { get } from '../support/http.js';
import { until } from '../support/processes.js';
import type { ChildOpening } from './publish/bar-child.js';
import { COUNTED, serve } from './served-proxy.js';

type Json = Readonly<Record<string, unknown>>;

const debugUrl = ({ url }: TqdmPromProxy) => new URL('/debug', url).href;

async function debug(proxy: TqdmPromProxy) {
  const { status, headers, body } = await get(debugUrl(proxy));
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  const { proxy: name, buckets, bars, ...rest } = JSON.parse(body.toString()) as Json;
  assert.deepEqual(rest, {});
  assert.equal(name, proxy.name);
  return { buckets: buckets as Json[], bars: bars as Json[] };
}

describe('/debug', () => {
  it('contains the buckets of the proxy, and all open bars', async (t) => {
    const proxy = await serve(t);
    const bar = proxy.tqdm({ ...COUNTED, desc: 'Upload', unit: 'B', total: 10, initial: 1, postfix: 'p' });
    bar.update(3);
    const plain = tqdm({ ...COUNTED, desc: 'Not published' });
    proxy.tqdm({ ...COUNTED, desc: 'Ended' }).close();
    const { buckets, bars } = await debug(proxy);
    const [upload, ended, ...more] = buckets;
    assert.deepEqual(more, []);
    const { updated, rate: speed, eta, ...numbers } = upload!;
    assert.ok((updated as number) > 1.7e9);
    // There is no remaining time before the first sample of the speed.
    assert.ok((speed as number) >= 0 && (eta === null || (eta as number) > 0));
    const running = { running_completed: 4, running_expected: 10 };
    const counts = { completed: 4, total: 10, ...running, active: 1, finished: 0, incomplete: 0, failed: 0 };
    assert.deepEqual(numbers, { bucket: 'Upload', unit: 'B', ...counts });
    assert.deepEqual([ended!.bucket, ended!.finished], ['Ended', 1]);

    const { id, elapsed, rate, ...open } = bars.find(({ desc }) => desc === 'Upload')!;
    assert.ok(Number.isInteger(id) && (elapsed as number) >= 0 && (rate === null || (rate as number) > 0));
    assert.deepEqual(open, {
      proxy: proxy.name,
      desc: 'Upload',
      n: 4,
      total: 10,
      initial: 1,
      unit: 'B',
      unitScale: false,
      unitDivisor: 1000,
      postfix: 'p',
      position: 0,
      mininterval: 1e9,
      maxinterval: 10,
      miniters: bar.miniters,
    });
    assert.deepEqual(
      bars.map(({ desc, proxy: name }) => [desc, name]),
      [
        ['Upload', proxy.name],
        ['Not published', null],
      ],
    );
    bar.close();
    plain.close();
    assert.deepEqual((await debug(proxy)).bars, []);
  });

  it('contains all units that a loop has done, and a postfix of any type', async (t) => {
    const proxy = await serve(t);
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    for (const postfix of [cyclic, 12n, [1, 2], () => 1]) {
      using _ = proxy.tqdm({ ...COUNTED, desc: 'Odd', postfix });
      assert.equal((await debug(proxy)).bars.length, 1);
    }
    for (const i of proxy.tqdm(5, { ...COUNTED, desc: 'Loop' })) {
      assert.equal((await debug(proxy)).bars[0]!.n, i);
    }
  });

  it('contains the bars of child processes that this process draws', async (t) => {
    const proxy = await serve(t, { name: 'debugged' });
    const opening: ChildOpening = { options: { desc: 'In a child', total: 100 }, name: 'debugged' };
    const child = fork(
      fileURLToPath(new URL('./publish/bar-child.js', import.meta.url)),
      [JSON.stringify(opening)],
      { env: { ...process.env, ...progressEnv() }, silent: true },
    );
    t.after(() => child.kill('SIGKILL'));
    await once(child, 'message');
    child.send({ update: 7 });
    const found = await until(
      'the bar of the child',
      async () => (await debug(proxy)).bars.find(({ desc, n }) => desc === 'In a child' && n === 7),
      20,
    );
    assert.deepEqual([found.proxy, found.total], [null, 100]);
    const published = await until(
      'its numbers',
      async () => (await debug(proxy)).buckets.find(({ completed }) => completed === 7),
      20,
    );
    assert.equal(published.active, 1);
  });

  it('is served for GET and HEAD, under the same hosts as the metrics', async (t) => {
    const proxy = await serve(t);
    const other = await get(debugUrl(proxy), { method: 'POST' });
    assert.deepEqual([other.status, other.headers.allow], [405, 'GET, HEAD']);
    const head = await get(debugUrl(proxy), { method: 'HEAD' });
    assert.deepEqual([head.status, head.body.length], [200, 0]);
    for (const path of ['/metrics', '/debug']) {
      const url = new URL(path, proxy.url).href;
      assert.equal((await get(url, { headers: { host: 'rebound.example' } })).status, 403, path);
    }
  });

  it('is not served by other servers', async () => {
    await using server = await startMetricsServer({ port: 0, registry: new CollectorRegistry() });
    assert.equal((await get(new URL('/debug', server.url).href)).status, 404);
  });
});
