/** Addresses that are not available to a proxy, and programs that must not be kept running by their proxy. */

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { type AddressInfo, createServer, Server } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CollectorRegistry } from 'metheus';
import { TqdmPromProxy, type TqdmPromProxyOptions } from 'metheus/progress';
import { get } from '../support/http.js';
import { freePort } from '../support/processes.js';
import { bucketOf, COUNTED, listenForWarnings, scrape } from './served-proxy.js';

const PROGRAM = fileURLToPath(new URL('./proxy-program.js', import.meta.url));

/** Returns a proxy that is stopped at the end of the test. */
function proxyAt(t: TestContext, options: TqdmPromProxyOptions): TqdmPromProxy {
  const proxy = new TqdmPromProxy({
    httpHost: '127.0.0.1',
    httpPort: 0,
    registry: new CollectorRegistry(),
    ...options,
  });
  t.after(() => proxy.stop());
  return proxy;
}

/** Listens on a port until the test ends, unless it is in use already. */
async function take(t: TestContext, port = 0): Promise<number> {
  const blocker = createServer().listen(port, '127.0.0.1');
  await once(blocker, 'listening').catch(() => {});
  t.after(() => blocker.close());
  return (blocker.address() as AddressInfo | null)?.port ?? port;
}

/** Makes `listen` fail with a system error for these hosts until the test ends. */
function refuse(t: TestContext, code: string, hosts: readonly string[]): { restore(): void } {
  const { listen } = Server.prototype;
  const { mock } = t.mock.method(Server.prototype, 'listen', function (this: Server, ...given: [never]) {
    const [{ host }] = given as unknown as [{ host: string }];
    if (!hosts.includes(host)) return listen.apply(this, given);
    queueMicrotask(() => this.emit('error', Object.assign(new Error(`listen ${code} ${host}`), { code })));
    return this;
  });
  return mock;
}

describe('a proxy whose address is not available', () => {
  it('takes the next free port, and names it in a warning', async (t) => {
    const warnings = listenForWarnings(t);
    const port = await take(t);
    const proxy = proxyAt(t, { httpPort: port });
    await proxy.start();
    const { hostname, port: served } = new URL(proxy.url!);
    assert.equal(hostname, '127.0.0.1');
    assert.notEqual(Number(served), port);
    await new Promise(setImmediate);
    assert.equal(warnings.length, 1);
    assert.ok(warnings[0]!.includes(`127.0.0.1:${port}`), warnings[0]);
    assert.ok(warnings[0]!.endsWith(`The progress bars are served at ${proxy.url}.`), warnings[0]);
    proxy.tqdm(null, { ...COUNTED, desc: 'moved' }).update(3);
    assert.equal(bucketOf(await scrape(proxy), 'moved')['completed_total it'], 3);
  });

  it('tries the next ports in ascending order', async (t) => {
    const port = await freePort();
    await take(t, port - 1);
    const proxy = proxyAt(t, { httpPort: port - 1 });
    await proxy.start();
    assert.equal(proxy.url, `http://127.0.0.1:${port}/metrics`);
  });

  it('takes any free port after the last one', async (t) => {
    await take(t, 65_535);
    const proxy = proxyAt(t, { httpPort: 65_535 });
    await proxy.start();
    assert.match(proxy.url!, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    assert.notEqual(new URL(proxy.url!).port, '65535');
  });

  it('takes the loopback address if the given one does not belong to this machine', async (t) => {
    const warnings = listenForWarnings(t);
    const httpPort = await freePort();
    const proxy = proxyAt(t, { httpHost: '192.0.2.1', httpPort });
    await proxy.start();
    assert.equal(proxy.url, `http://127.0.0.1:${httpPort}/metrics`);
    await new Promise(setImmediate);
    assert.match(warnings[0]!, /192\.0\.2\.1:\d+ .*EADDRNOTAVAIL.* are served at http:\/\/127\.0\.0\.1:/);
  });

  for (const code of ['EADDRNOTAVAIL', 'EAFNOSUPPORT']) {
    it(`takes the loopback address if IPv6 is disabled (${code})`, async (t) => {
      refuse(t, code, ['::1']);
      const httpPort = await freePort();
      const proxy = proxyAt(t, { httpHost: '[::1]', httpPort });
      await proxy.start();
      assert.equal(proxy.url, `http://127.0.0.1:${httpPort}/metrics`);
    });
  }

  it('does not end its program when no address is available, and can be started again', async (t) => {
    const warnings = listenForWarnings(t);
    const refused = refuse(t, 'EMFILE', ['127.0.0.1', '::1']);
    const httpPort = await freePort();
    const proxy = proxyAt(t, { httpPort });
    await Promise.all([proxy.start(), proxy.start()]);
    assert.equal(proxy.url, undefined);
    await proxy.stop();
    await new Promise(setImmediate);
    assert.match(warnings[0]!, /EMFILE.* The progress bars are not served\.$/);
    refused.restore();
    await proxy.start();
    assert.equal(proxy.url, `http://127.0.0.1:${httpPort}/metrics`);
  });

  it('rejects with the option required', async (t) => {
    const port = await take(t);
    await assert.rejects(proxyAt(t, { httpPort: port, required: true }).start(), {
      code: 'METHEUS_PORT_IN_USE',
    });
    await assert.rejects(proxyAt(t, { httpHost: '192.0.2.1', required: true }).start(), {
      code: 'METHEUS_LISTEN_FAILED',
    });
  });
});

describe('a program with nothing else to do', () => {
  /** Starts the program, scrapes it over a connection that stays open, and ends its remaining work. */
  async function startAndScrape(t: TestContext, args: readonly string[] = []) {
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const program = fork(PROGRAM, args);
    t.after(() => program.kill('SIGKILL'));
    const [url] = (await once(program, 'message')) as [string];
    const { status, body } = await get(url, { agent });
    assert.equal(status, 200);
    assert.equal(bucketOf(body.toString(), 'Short')['completed_total it'], 3);
    const ended = once(program, 'exit');
    program.send('end');
    return { url, ended };
  }

  it('ends even though its proxy listens and a client is connected', async (t) => {
    const { ended } = await startAndScrape(t);
    assert.deepEqual(await ended, [0, null]);
  });

  it('keeps running with keepAlive', async (t) => {
    const { url, ended } = await startAndScrape(t, ['keep']);
    const first = await Promise.race([ended, get(url).then(() => get(url))]);
    assert.ok('status' in first && first.status === 200);
  });
});
