/** The handler for `node:http`, over real connections. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  ServerResponse,
} from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  generateMetrics,
  OPENMETRICS_CONTENT_TYPE,
  PROMETHEUS_CONTENT_TYPE,
} from 'metheus';
import { createMetricsHandler } from 'metheus/http';
import { MAX_STALL_MS } from '#metheus/exporter/node-handler.js';
import { get, open } from '../support/http.js';
import { largeRegistry, Slow, smallRegistry, Watched } from '../support/scrapes.js';
import { collectable, snapshot } from '../support/snapshots.js';

const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
const GZIP = { headers: { 'Accept-Encoding': 'gzip' } };

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  return listening(server);
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

describe('createMetricsHandler', () => {
  it('serves the registry with its content type and length', async () => {
    const registry = smallRegistry();
    const url = await serve(createMetricsHandler({ registry }));
    const { status, headers, body } = await get(`${url}/metrics`);
    assert.equal(status, 200);
    assert.equal(headers['content-type'], `${PROMETHEUS_CONTENT_TYPE}; escaping=underscores`);
    assert.equal(headers['content-length'], String(body.length));
    assert.equal(headers['content-encoding'], undefined);
    assert.equal(headers.vary, 'Accept, Accept-Encoding');
    assert.equal(
      body.toString(),
      '# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\njobs_total{kind="mail"} 3\n',
    );
  });

  it('responds in the format and with the escaping that the client prefers', async () => {
    const registry = new CollectorRegistry();
    createCounter('mail.sent_total', 'Sent.', { utf8Names: true, registry }).inc();
    const url = await serve(createMetricsHandler({ registry, compress: false }));
    const accept = 'application/openmetrics-text;version=1.0.0;escaping=values;q=0.6,text/plain;q=0.5';
    const { headers, body } = await get(url, { headers: { Accept: accept } });
    assert.equal(headers['content-type'], `${OPENMETRICS_CONTENT_TYPE}; escaping=values`);
    assert.equal(headers.vary, 'Accept');
    assert.equal(
      body.toString(),
      '# TYPE U__mail_2e_sent_ counter\n# HELP U__mail_2e_sent_ Sent.\nU__mail_2e_sent__total 1\n# EOF\n',
    );
  });

  it('writes creation times with the option', async () => {
    const counter = snapshot('c_total', { type: 'counter', rows: [{ cells: [1], created: 5 }] });
    const url = await serve(createMetricsHandler({ registry: collectable(counter), created: true }));
    const headers = { Accept: 'application/openmetrics-text;version=1.0.0' };
    const { body } = await get(url, { headers });
    assert.match(body.toString(), /^c_created 5$/m);
  });

  it('serves the default registry by default', async () => {
    const url = await serve(createMetricsHandler());
    assert.equal((await get(url)).body.toString(), await generateMetrics());
  });

  it('serves an empty registry as an empty body', async () => {
    const url = await serve(createMetricsHandler({ registry: new CollectorRegistry() }));
    const { status, headers, body } = await get(url);
    assert.deepEqual([status, headers['content-length'], body.length], [200, '0', 0]);
    assert.equal(gunzipSync((await get(url, GZIP)).body).length, 0);
  });

  describe('paths', () => {
    it('all serve metrics without the option', async () => {
      const url = await serve(createMetricsHandler({ registry: smallRegistry() }));
      for (const path of ['/', '/metrics', '/a/b?c=d']) assert.equal((await get(url + path)).status, 200);
    });

    it('serve 404 with the option, except for one', async () => {
      const url = await serve(createMetricsHandler({ registry: smallRegistry(), path: '/metrics' }));
      for (const path of ['/metrics', '/metrics?name[]=x', 'http://proxied.example/metrics']) {
        assert.equal((await get(url, { path })).status, 200, path);
      }
      for (const path of [
        '/',
        '/metrics/',
        '/METRICS',
        '/metricsx',
        '//metrics',
        '/%6detrics',
        '/?/metrics',
      ]) {
        const { status, headers, body } = await get(url, { path });
        assert.equal(status, 404, path);
        assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
        assert.match(body.toString(), /\/metrics/);
      }
    });

    it('must start with a slash', () => {
      for (const path of ['metrics', '', '/a?b', '/a b', 5]) {
        assert.throws(() => createMetricsHandler({ path: path as string }), {
          code: 'METHEUS_INVALID_OPTIONS',
        });
      }
    });
  });

  it('rejects a value that is not a registry', () => {
    for (const registry of [null, 5, {}]) {
      assert.throws(() => createMetricsHandler({ registry: registry as CollectorRegistry }), {
        code: 'METHEUS_INVALID_OPTIONS',
      });
    }
  });

  it('allows GET and HEAD only', async () => {
    const url = await serve(createMetricsHandler({ registry: smallRegistry() }));
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers, body } = await get(url, { method });
      assert.equal(status, 405, method);
      assert.equal(headers.allow, 'GET, HEAD');
      assert.match(body.toString(), /GET/);
    }
  });

  it('responds to HEAD as to GET, without the body', async () => {
    const registry = smallRegistry();
    registry.register({ collect: () => [createFamily('other', 'o', { series: [{ value: 1 }] })] });
    const url = await serve(createMetricsHandler({ registry, path: '/metrics' }));
    for (const path of ['/metrics', '/elsewhere']) {
      for (const ask of [{}, GZIP]) {
        const whole = await get(url + path, ask);
        const head = await get(url + path, { ...ask, method: 'HEAD' });
        assert.equal(head.body.length, 0);
        assert.equal(head.status, whole.status);
        delete head.headers.date;
        delete whole.headers.date;
        assert.deepEqual(head.headers, whole.headers);
      }
    }
  });

  it('responds to HEAD of large scrapes and of failing ones', async () => {
    const large = await serve(createMetricsHandler({ registry: largeRegistry() }));
    const { status, body } = await get(large, { method: 'HEAD' });
    assert.deepEqual([status, body.length], [200, 0]);
    server?.close();
    const registry = new CollectorRegistry();
    registry.register({ collect: () => Promise.reject(new Error('no')) });
    const failing = await serve(createMetricsHandler({ registry, onError: 'fail' }));
    assert.equal((await get(failing, { method: 'HEAD' })).status, 500);
  });

  describe('compression', () => {
    it('is used where the client accepts it, with the length of small responses', async () => {
      const registry = smallRegistry();
      const url = await serve(createMetricsHandler({ registry }));
      const { headers, body } = await get(url, GZIP);
      assert.equal(headers['content-encoding'], 'gzip');
      assert.equal(headers.vary, 'Accept, Accept-Encoding');
      assert.equal(headers['content-length'], String(body.length));
      assert.equal(gunzipSync(body).toString(), await generateMetrics(registry));
      const refused = await get(url, { headers: { 'Accept-Encoding': 'gzip;q=0' } });
      assert.equal(refused.headers['content-encoding'], undefined);
      assert.equal(refused.body.toString(), await generateMetrics(registry));
    });

    it('streams large responses', async () => {
      const registry = largeRegistry();
      const url = await serve(createMetricsHandler({ registry }));
      const text = Buffer.from(await generateMetrics(registry));
      const plain = await get(url);
      assert.ok(plain.body.equals(text));
      assert.equal(plain.headers['content-length'], undefined);
      const { headers, body } = await get(url, GZIP);
      assert.equal(headers['content-encoding'], 'gzip');
      assert.ok(gunzipSync(body).equals(text));
    });

    it('can be turned off', async () => {
      const url = await serve(createMetricsHandler({ registry: smallRegistry(), compress: false }));
      const { headers, body } = await get(url, GZIP);
      assert.equal(headers['content-encoding'], undefined);
      assert.equal(headers.vary, 'Accept');
      assert.match(body.toString(), /^# HELP/);
    });
  });

  describe('errors', () => {
    const failures: readonly [string, () => never, RegExp][] = [
      ['throws', () => fail(new Error('the disk is gone')), /the disk is gone/],
      ['throws what is no error', () => fail('just text'), /'just text'/],
      ['throws nothing', () => fail(undefined), /undefined/],
    ];
    function fail(what: unknown): never {
      throw what;
    }

    for (const [name, collect, message] of failures) {
      it(`a collector that ${name} leaves the rest served by default`, async () => {
        const registry = smallRegistry();
        registry.register({ name: 'failing', collect });
        const url = await serve(createMetricsHandler({ registry }));
        const { status, body } = await get(url);
        assert.equal(status, 200);
        assert.match(body.toString(), /^jobs_total\{kind="mail"\} 3$/m);
        const counted = /^metheus_collector_errors_total\{collector="failing",cause="error"\} 1$/m;
        assert.match(body.toString(), counted);
      });

      it(`a collector that ${name} causes a 500 with its error with onError 'fail'`, async () => {
        const registry = smallRegistry();
        registry.register({ collect });
        const url = await serve(createMetricsHandler({ registry, onError: 'fail' }));
        for (const ask of [{}, GZIP]) {
          const { status, headers, body } = await get(url, ask);
          assert.equal(status, 500);
          assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
          assert.equal(headers['content-encoding'], undefined);
          assert.equal(headers['content-length'], String(body.length));
          assert.match(body.toString(), /^An error has occurred while serving metrics:\n\n/);
          assert.match(body.toString(), message);
        }
      });
    }

    it('a collector that rejects after others have succeeded is a 500 too', async () => {
      const registry = largeRegistry();
      registry.register({
        collect: async () => {
          await new Promise(setImmediate);
          throw new Error('late');
        },
      });
      const url = await serve(createMetricsHandler({ registry, onError: 'fail' }));
      const { status, body } = await get(url);
      assert.equal(status, 500);
      assert.match(body.toString(), /late/);
    });

    it('an unknown onError throws when the handler is created', () => {
      assert.throws(() => createMetricsHandler({ onError: 'ignore' as 'fail' }), {
        code: 'METHEUS_INVALID_OPTIONS',
      });
    });

    it('handlers with another onError do not share a collection', async () => {
      const registry = smallRegistry();
      registry.register({ collect: () => Promise.reject(new Error('no')) });
      const strict = createMetricsHandler({ registry, onError: 'fail' });
      const lenient = createMetricsHandler({ registry });
      const url = await serve((request, response) =>
        (request.url === '/strict' ? strict : lenient)(request, response),
      );
      const answers = await Promise.all([get(`${url}/strict`), get(`${url}/lenient`)]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [500, 200],
      );
    });

    it('a registry that throws synchronously is a 500', async () => {
      const registry = {
        collect: () => {
          throw new Error('at once');
        },
      };
      const url = await serve(createMetricsHandler({ registry }));
      assert.equal((await get(url)).status, 500);
    });

    for (const [encoding, ask] of [
      ['plain', {}],
      ['gzip', GZIP],
    ] as const) {
      it(`an encoder that fails midway closes the connection (${encoding})`, async () => {
        const url = await serve(createMetricsHandler({ registry: new Watched({ failAt: 20 }) }));
        await assert.rejects(get(url, ask), { code: 'ECONNRESET' });
        assert.equal((await get(url, { method: 'POST' })).status, 405, 'the server goes on');
      });
    }

    it('an encoder that fails at once is a 500', async () => {
      const url = await serve(createMetricsHandler({ registry: new Watched({ failAt: 1 }) }));
      assert.equal((await get(url)).status, 500);
    });

    it('a response that has already begun is aborted, and nothing else', async () => {
      const handler = createMetricsHandler({ registry: smallRegistry() });
      const url = await serve((request, response) => {
        response.writeHead(200);
        response.write('begun');
        handler(request, response);
      });
      await assert.rejects(get(url), { code: 'ECONNRESET' });
    });

    it('are reported to the process once for each kind', async () => {
      const warnings: string[] = [];
      const listen = (warning: Error): void => void warnings.push(warning.message);
      process.on('warning', listen);
      const kinds = ['METHEUS_TEST_A', 'METHEUS_TEST_B', 'METHEUS_TEST_A'];
      for (const code of kinds) {
        const registry = { collect: () => Promise.reject(Object.assign(new Error(`of ${code}`), { code })) };
        await get(await serve(createMetricsHandler({ registry })));
        server?.close();
      }
      await new Promise(setImmediate);
      process.off('warning', listen);
      assert.deepEqual(warnings, [
        'Metrics could not be served: of METHEUS_TEST_A',
        'Metrics could not be served: of METHEUS_TEST_B',
      ]);
    });
  });

  describe('a large response', () => {
    const registry = largeRegistry();
    const expected = generateMetrics(registry);

    it('is written with two buffers in turn', async () => {
      const buffers = new Set<unknown>();
      class Watching extends ServerResponse {
        override write(...given: [never]): boolean {
          buffers.add((given[0] as Uint8Array).buffer);
          return super.write(...given);
        }
      }
      server = createServer({ ServerResponse: Watching }, createMetricsHandler({ registry }));
      const { body } = await get(await listening(server));
      assert.equal(body.toString(), await expected);
      assert.equal(buffers.size, 2);
    });

    it('is complete over HTTP/2, for a slow client', async () => {
      const handler = createMetricsHandler({ registry });
      // Its requests and responses do what those of node:http do, though their types differ.
      const own = createHttp2Server((request, response) => handler(request as never, response as never));
      own.listen(0, '127.0.0.1');
      await once(own, 'listening');
      const session = connect(`http://127.0.0.1:${(own.address() as AddressInfo).port}`);
      const stream = session.request({ ':path': '/metrics' });
      const chunks: Buffer[] = [];
      for await (const chunk of stream) {
        chunks.push(chunk as Buffer);
        await new Promise(setImmediate);
      }
      session.close();
      own.close();
      assert.equal(Buffer.concat(chunks).toString(), await expected);
    });

    it("is complete where a framework's own write keeps chunks for later", async () => {
      const handler = createMetricsHandler({ registry });
      const kept: Uint8Array[] = [];
      const url = await serve((request, response) => {
        const end = response.end.bind(response);
        response.write = (chunk: Uint8Array) => kept.push(chunk) > 0;
        response.end = () => end(Buffer.concat(kept));
        handler(request, response);
      });
      const { body } = await get(url);
      assert.ok(kept.length > 2);
      assert.equal(body.toString(), await expected);
    });
  });

  describe('slow clients', () => {
    for (const [encoding, ask] of [
      ['plain', {}],
      ['gzip', GZIP],
      ['OpenMetrics', { headers: { Accept: 'application/openmetrics-text;version=1.0.0' } }],
      ['protobuf', { headers: { Accept: PROTOBUF } }],
    ] as const) {
      it(`are not written to ahead of their reading (${encoding})`, async () => {
        const families = 1000;
        const registry = new Watched({ families });
        const url = await serve(createMetricsHandler({ registry }));
        const response = await open(url, ask);
        await standstill(() => registry.taken);
        assert.ok(
          registry.taken < families,
          `all ${families} families were written to a client that did not read`,
        );
        response.destroy();
        await registry.ended;
        assert.ok(registry.taken < families);
      });
    }

    it('receive everything when they read on', async () => {
      const registry = new Watched({ families: 300 });
      const url = await serve(createMetricsHandler({ registry }));
      const response = await open(url);
      await standstill(() => registry.taken);
      let length = 0;
      for await (const chunk of response) length += (chunk as Buffer).length;
      assert.ok(length > 300 * 65_000);
      assert.equal(length % 300, 0);
    });

    for (const [encoding, ask] of [
      ['plain', {}],
      ['gzip', GZIP],
    ] as const) {
      it(`that read nothing are dropped (${encoding})`, async (t) => {
        const registry = new Watched();
        t.mock.timers.enable({ apis: ['setTimeout'] });
        const url = await serve(createMetricsHandler({ registry }));
        const response = await open(url, ask);
        await quiet(() => registry.taken);
        t.mock.timers.tick(MAX_STALL_MS - 1);
        // The stall timer of a client that reads again starts anew.
        const before = registry.taken;
        const bytes = 10 * 1024 * 1024;
        for (let length = 0; length < bytes; ) length += ((await read(response)) as Buffer).length;
        await quiet(() => registry.taken);
        assert.ok(registry.taken > before);
        t.mock.timers.tick(MAX_STALL_MS - 1);
        assert.equal(await Promise.race([registry.ended, turns(10)]), 'running');
        t.mock.timers.tick(1);
        await registry.ended;
        await assert.rejects(async () => {
          for await (const _ of response);
        }, /aborted/);
      });
    }

    it('that disconnect while metrics are collected are not written to', async () => {
      const registry = new Slow();
      let closed: Promise<unknown> | undefined;
      const handler = createMetricsHandler({ registry });
      const url = await serve((request, response) => {
        closed = once(response, 'close');
        response.writeHead = () => assert.fail('the client has disconnected');
        handler(request, response);
      });
      const leaving = new AbortController();
      const answer = fetch(url, { signal: leaving.signal });
      await registry.asked;
      leaving.abort();
      await assert.rejects(answer);
      await closed;
      registry.finish();
      await new Promise(setImmediate);
    });
  });
});

/** Resolves after turns of the event loop. */
async function turns(count: number): Promise<'running'> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
  return 'running';
}

/** Waits until a number stays the same for many turns of the event loop. Needs no timers, which the tests replace. */
async function quiet(look: () => number): Promise<void> {
  for (let before = -1; before !== look(); ) {
    before = look();
    await turns(2000);
  }
}

/** Returns the next chunk of a response. */
async function read(response: IncomingMessage): Promise<unknown> {
  for (;;) {
    const chunk: unknown = response.read();
    if (chunk !== null) return chunk;
    await once(response, 'readable');
  }
}

/** Waits until a number stays the same for a while. */
async function standstill(look: () => number): Promise<void> {
  for (let before = -1; before !== look(); ) {
    before = look();
    await sleep(150);
  }
}
