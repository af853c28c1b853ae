/** The check of the header `Host`, for web pages that reach metrics through a domain that resolves to this machine. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import {
  createFetchHandler,
  type MetricsServer,
  type MetricsServerOptions,
  startMetricsServer,
} from 'metheus/http';
import { TqdmPromProxy } from 'metheus/progress';
import { get } from '../support/http.js';
import { smallRegistry } from '../support/scrapes.js';

let server: MetricsServer | undefined;
afterEach(() => server?.close());

/** Returns the statuses of requests that name these hosts. */
async function statuses(options: MetricsServerOptions, hosts: readonly string[]): Promise<number[]> {
  server = await startMetricsServer({ port: 0, registry: smallRegistry(), ...options });
  const url = `http://127.0.0.1:${server.port}/metrics`;
  const answers = [];
  for (const host of hosts) answers.push(await get(url, { headers: { Host: host } }));
  return answers.map(({ status }) => status);
}

const LOCAL = [
  'localhost',
  'LOCALHOST:9464',
  'localhost.',
  'app.localhost:80',
  '127.0.0.1',
  '127.8.9.1:1',
  '[::1]:9464',
  '10.0.0.7:9464',
  '[fe80::1]',
];
const FOREIGN = [
  'evil.example',
  'evil.example:9464',
  'localhost.evil.example',
  'evil-localhost',
  '127.evil.example',
  '1.evil.example:80',
  '[::1].evil.example',
  'a:b',
];

describe('allowedHosts', () => {
  it('are addresses and names of this machine for a server on a loopback address', async () => {
    const got = await statuses({}, [...LOCAL, ...FOREIGN]);
    assert.deepEqual(got, [...LOCAL.map(() => 200), ...FOREIGN.map(() => 403)]);
  });

  it('are also the given names', async () => {
    const allowedHosts = ['metrics.example.com', 'Other.Example'];
    const hosts = [
      'metrics.example.com:443',
      'METRICS.example.com.',
      'other.example',
      'localhost',
      'a.other.example',
    ];
    assert.deepEqual(await statuses({ allowedHosts }, hosts), [200, 200, 200, 200, 403]);
  });

  it('are all hosts for a server on another address, unless names are given', async () => {
    assert.deepEqual(await statuses({ host: '0.0.0.0' }, [...LOCAL, ...FOREIGN].map(String)), [
      ...LOCAL.map(() => 200),
      ...FOREIGN.map(() => 200),
    ]);
    await server?.close();
    const given = { host: '0.0.0.0', allowedHosts: ['a.example'] };
    assert.deepEqual(await statuses(given, ['a.example', 'localhost', 'evil.example']), [200, 200, 403]);
  });

  it('are checked if the server listens on a name that resolves to a loopback address', async () => {
    assert.deepEqual(await statuses({ host: 'localhost' }, ['localhost:1']), [200]);
  });

  it('do not restrict requests without the header', async () => {
    server = await startMetricsServer({ port: 0, registry: smallRegistry() });
    const socket = connect({ host: '127.0.0.1', port: server.port });
    socket.end('GET /metrics HTTP/1.0\r\n\r\n');
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.match(first.toString(), /^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  it('are named in the answer to a refused request, for every path, and in one warning', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    server = await startMetricsServer({ port: 0, registry: smallRegistry() });
    for (const path of ['/', '/metrics', '/other']) {
      const { status, body } = await get(`http://127.0.0.1:${server.port}${path}`, {
        headers: { Host: 'evil.example' },
      });
      assert.equal(status, 403);
      assert.equal(
        body.toString(),
        "The host 'evil.example' is not allowed. Allow it with the option allowedHosts.\n",
      );
    }
    await new Promise(setImmediate);
    process.off('warning', listen);
    assert.ok(warnings.length <= 1, String(warnings));
  });

  for (const allowedHosts of ['a.example', [''], ['a.example:80'], ['http://a.example'], [5]]) {
    it(`cannot be ${JSON.stringify(allowedHosts)}`, async () => {
      await assert.rejects(startMetricsServer({ port: 0, allowedHosts: allowedHosts as string[] }), {
        code: 'METHEUS_INVALID_OPTIONS',
        message: /allowedHosts/,
      });
    });
  }

  it('are an option of TqdmPromProxy', async () => {
    const proxy = new TqdmPromProxy({ httpHost: '127.0.0.1', httpPort: 0, allowedHosts: ['a.example'] });
    await proxy.start();
    const answers = [];
    for (const host of ['a.example', 'b.example'])
      answers.push(await get(proxy.url!, { headers: { Host: host } }));
    await proxy.stop();
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 403],
    );
  });
});

it('tells browsers not to guess the type of any answer', async () => {
  server = await startMetricsServer({ port: 0, registry: smallRegistry() });
  for (const path of ['/', '/metrics', '/other']) {
    const { headers } = await get(`http://127.0.0.1:${server.port}${path}`);
    assert.equal(headers['x-content-type-options'], 'nosniff');
  }
  const response = await createFetchHandler({ registry: smallRegistry() })(new Request('http://x.example/'));
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
});
