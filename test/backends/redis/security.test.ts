/** TLS, ACL users, and the absence of secrets in what is shown. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { freePort } from '../../support/processes.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

const skip = requireTool('redis-server') || requireTool('openssl');

/** The permissions that the backend needs. */
const RIGHTS = [
  '+ping',
  '+info',
  '+hello',
  '+evalsha',
  '+eval',
  '+time',
  '+expire',
  '+hget',
  '+hmget',
  '+hset',
  '+hdel',
  '+hgetall',
  '+hscan',
  '+zadd',
  '+zscore',
  '+zrangebyscore',
  '+zrem',
];

describe('security of the Redis backend', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'metheus-tls-'));
  const file = (name: string) => join(directory, name);
  let server: RedisServer;
  let tlsPort: number;
  before(async () => {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    const certificate = [
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      file('key'),
      '-out',
      file('cert'),
    ];
    execFileSync('openssl', ['req', '-x509', ...certificate, ...subject], { stdio: 'ignore' });
    tlsPort = await freePort();
    const tls = [
      '--tls-port',
      String(tlsPort),
      '--tls-cert-file',
      file('cert'),
      '--tls-key-file',
      file('key'),
    ];
    server = await startRedis({
      args: [...tls, '--tls-ca-cert-file', file('cert'), '--tls-auth-clients', 'no'],
    });
    await server.call('ACL', 'SETUSER', 'metrics', 'on', '>top secret/1', '~app:*', ...RIGHTS);
  });
  after(async () => {
    await server.stop();
    rmSync(directory, { recursive: true });
  });

  /** Asserts that a backend exchanges numbers and shows no secret, and closes it. */
  async function checkBackend(backend: MultiProcessRedisBackend): Promise<void> {
    const family = makeFamily({ labelNames: [], merge: 'max', type: 'gauge', cells: 2 });
    const counter = makeFamily({ labelNames: [] });
    for (const each of [family, counter]) {
      const cells = backend.reserve({ family: each, labels: [] });
      cells.page.fill(5, cells.offset, cells.offset + each.cells);
    }
    await backend.flush();
    const snapshots = await backend.snapshot({ families: [family, counter], scopes: [] });
    assert.deepEqual(
      snapshots.map((snapshot) => rowsOf(snapshot)[0]![1][0]),
      [5, 5],
    );
    assert.doesNotMatch(inspect([backend, backend.config], { depth: 9 }), /secret|BEGIN/);
    assert.doesNotMatch(JSON.stringify(backend.config), /secret|BEGIN/);
    await backend.close();
  }

  it('connects by TLS with a private certificate, as a user with few permissions', async () => {
    const options = {
      ...optionsFor({ port: tlsPort }),
      keyPrefix: 'app',
      username: 'metrics',
      password: 'top secret/1',
      tls: { ca: readFileSync(file('cert')) },
      failFast: true,
    };
    await checkBackend(await openBackend(options));
    await assert.rejects(openBackend({ ...options, tls: {}, timeout: 0.2 }), /self-signed certificate/);
  });

  it('survives TLS handshakes that are aborted at any moment', async () => {
    for (let i = 0; i < 100; i++) {
      const options = optionsFor(
        { port: tlsPort },
        { tls: {}, timeout: (1 + (i % 20)) / 1000, ioredis: { retryStrategy: () => 1 } },
      );
      await (await openBackend(options)).close();
    }
    // An unhandled error would be thrown now, and fail this test.
    await new Promise((resolve) => setTimeout(resolve, 200));
  });

  it('takes TLS, user and password from a URL', async () => {
    const url = `rediss://metrics:top%20secret%2F1@localhost:${tlsPort}/0`;
    const { host: _, port: __, ...options } = optionsFor(server, { keyPrefix: 'app', failFast: true });
    const backend = await openBackend({ ...options, url, tls: { ca: readFileSync(file('cert')) } });
    assert.equal(backend.config.host, 'localhost');
    assert.equal(backend.config.port, tlsPort);
    await checkBackend(backend);
  });

  it('treats missing permissions as an outage, and names them', async () => {
    const warnings: string[] = [];
    process.removeAllListeners('warning');
    process.on('warning', ({ message }) => warnings.push(message));
    const options = optionsFor(server, { username: 'metrics', password: 'top secret/1' });
    const backend = await openBackend(options);
    await assert.rejects(backend.flush(), /NOPERM|permission/);
    await new Promise((resolve) => setImmediate(resolve));
    assert.match(warnings.join(), /^Redis is unavailable, metrics are kept in memory: .*(NOPERM|permission)/);
    await backend.close();
  });

  it('shows no secret in errors about options', () => {
    const wrong = [
      { url: 'top secret' },
      { url: 'redis://:top secret@:x' },
      { password: 'top secret', timeout: -1 },
    ];
    for (const config of [
      ...wrong,
      { password: 'top secret', whenDown: 'no' as never },
      { keyPrefix: 5 as never },
      { client: { call: () => 'top secret' } as never },
    ]) {
      assert.throws(
        () => new MultiProcessRedisBackend(config),
        (error: NodeJS.ErrnoException) => {
          assert.equal(error.code, 'METHEUS_INVALID_OPTIONS');
          assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /secret/);
          return true;
        },
      );
    }
  });
});
