/** Prometheus' web configuration: TLS, client certificates, users, headers, a rate limit, and changes of the file. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { hash } from 'bcrypt';
import { CollectorRegistry, createCounter } from 'metheus';
import { type MetricsServer, startMetricsServer, type WebConfig } from 'metheus/http';
import { until } from '../support/processes.js';
import { startPrometheus } from '../support/prometheus-server.js';
import { requireTool } from '../support/tools.js';

const skip = requireTool('openssl') || requireTool('promtool');

describe('a web configuration', { skip }, () => {
  let folder: string;
  let registry: CollectorRegistry;
  let users: string;
  const file = (name: string) => join(folder, name);
  const pem = (name: string) => readFile(file(name));

  /** Creates a key and a certificate that its own key, or the key of an authority, has signed. */
  async function certify(name: string, names: string, authority?: string): Promise<void> {
    const run = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: folder });
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-subj', `/CN=${name}`];
    if (authority === undefined) {
      await run(
        'req',
        '-x509',
        '-days',
        '2',
        ...key,
        '-out',
        `${name}.crt`,
        '-addext',
        `subjectAltName=${names}`,
      );
      return;
    }
    await run('req', '-new', ...key, '-out', `${name}.csr`);
    await writeFile(file(`${name}.ext`), `subjectAltName=${names}\n`);
    const sign = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '2'];
    await run(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...sign,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
    );
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'metheus-web-config-'));
    registry = new CollectorRegistry();
    createCounter('secure_total', 'S.', { registry }).inc();
    users = `basic_auth_users: { ann: "${await hash('secret', 4)}" }`;
    await certify('server', 'DNS:localhost,IP:127.0.0.1');
    await certify('other', 'DNS:localhost,IP:127.0.0.1');
    await certify('authority', 'DNS:authority');
    const names = 'DNS:client.example,IP:10.1.2.3,IP:::1,email:a@b.example,URI:spiffe://x/y';
    await certify('client', names, 'authority');
    await certify('stranger', 'DNS:client.example');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function withServer(
    webConfig: string | WebConfig,
    use: (server: MetricsServer) => Promise<void>,
  ): Promise<void> {
    await using server = await startMetricsServer({ port: 0, registry, webConfig });
    await use(server);
  }

  async function write(text: string, name = 'web.yml'): Promise<string> {
    await writeFile(file(name), text);
    return file(name);
  }

  const tls = 'tls_server_config: { cert_file: server.crt, key_file: server.key';

  interface Answer {
    readonly status: number | undefined;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
  }

  /** Sends a request over HTTP/1.1; rejects where the connection is refused. */
  async function get(
    server: MetricsServer,
    options: ConnectionOptions & { auth?: string } = {},
  ): Promise<Answer> {
    const ca = [await pem('server.crt'), await pem('other.crt')];
    return new Promise((resolve, reject) => {
      const request = httpsRequest(server.url, { ca, agent: false, ...options }, async (response) => {
        let body = '';
        for await (const chunk of response.setEncoding('utf8')) body += chunk;
        resolve({ status: response.statusCode, headers: response.headers, body });
      });
      request.on('error', reject).end();
    });
  }

  it('serves over TLS, with files relative to its own', async () => {
    await withServer(await write(`${tls} }`), async (server) => {
      assert.match(server.url, /^https:/);
      const { status, body } = await get(server);
      assert.equal(status, 200);
      assert.match(body, /^secure_total 1$/m);
      await assert.rejects(fetch(server.url.replace('https:', 'http:')));
    });
  });

  it('serves over HTTP/2, unless it is switched off', async () => {
    const protocolOf = async (server: MetricsServer): Promise<string | false | null> => {
      const ca = await pem('server.crt');
      const socket = connectTls({
        host: '127.0.0.1',
        port: server.port,
        ca,
        ALPNProtocols: ['h2', 'http/1.1'],
      });
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      socket.destroy();
      return socket.alpnProtocol;
    };
    await withServer(await write(`${tls} }`), async (server) => {
      assert.equal(await protocolOf(server), 'h2');
      const session = connectHttp2(server.url, { ca: await pem('server.crt') });
      const stream = session.request({ ':path': '/metrics', 'accept-encoding': 'identity' });
      let status = 0;
      stream.on('response', (headers) => {
        status = headers[':status'] ?? 0;
      });
      let body = '';
      for await (const chunk of stream.setEncoding('utf8')) body += chunk;
      assert.equal(status, 200);
      assert.match(body, /^secure_total 1$/m);
      await server.close();
      session.destroy();
    });
    await withServer(await write(`${tls} }\nhttp_server_config: { http2: false }`), async (server) => {
      assert.notEqual(await protocolOf(server), 'h2');
    });
  });

  for (const protocol of ['http/1.1', 'h2'] as const) {
    it(`answers a running request over ${protocol} before it closes`, async () => {
      let release = () => {};
      const waiting = new Promise<void>((resolve) => {
        release = resolve;
      });
      let isCollecting = false;
      const slow = {
        collect: async () => {
          isCollecting = true;
          await waiting;
          return registry.collect();
        },
      };
      const webConfig = await write(`${tls} }`);
      const server = await startMetricsServer({ port: 0, registry: slow, webConfig });
      const ca = await pem('server.crt');
      const session = protocol === 'h2' ? connectHttp2(server.url, { ca }) : undefined;
      const overHttp2 = async (): Promise<string> => {
        const stream = session!.request({ ':path': '/metrics', 'accept-encoding': 'identity' });
        let body = '';
        for await (const chunk of stream.setEncoding('utf8')) body += chunk;
        return body;
      };
      const running = session === undefined ? get(server).then(({ body }) => body) : overHttp2();
      await until('the collection', async () => isCollecting || undefined);
      const closed = server.close();
      await assert.rejects(get(server));
      release();
      assert.match(await running, /^secure_total 1$/m);
      await closed;
      session?.destroy();
    });
  }

  const policies: readonly [policy: string, none: boolean, stranger: boolean, client: boolean][] = [
    ['NoClientCert', true, true, true],
    ['RequestClientCert', true, true, true],
    ['RequireAnyClientCert', false, true, true],
    ['VerifyClientCertIfGiven', true, false, true],
    ['RequireAndVerifyClientCert', false, false, true],
  ];
  for (const [policy, ...accepted] of policies) {
    it(`answers the clients of the policy ${policy}`, async () => {
      const authority = policy === 'NoClientCert' ? '' : ', client_ca_file: authority.crt';
      await withServer(await write(`${tls}, client_auth_type: ${policy}${authority} }`), async (server) => {
        const results: boolean[] = [];
        for (const name of [undefined, 'stranger', 'client']) {
          const own = name && { cert: await pem(`${name}.crt`), key: await pem(`${name}.key`) };
          results.push(
            await get(server, own || {}).then(
              ({ status }) => status === 200,
              () => false,
            ),
          );
        }
        assert.deepEqual(results, accepted);
      });
    });
  }

  const sans: readonly [san: string, accepted: boolean][] = [
    ['client.example', true],
    ['10.1.2.3', true],
    ['::1', true],
    ['0:0:0:0:0:0:0:1', true],
    ['a@b.example', true],
    ['spiffe://x/y', true],
    ['client', false],
    ['DNS:client.example', false],
  ];
  for (const [san, accepted] of sans) {
    it(`${accepted ? 'accepts' : 'refuses'} a client certificate where ${san} is the allowed name`, async () => {
      const policy = 'client_auth_type: RequireAndVerifyClientCert, client_ca_file: authority.crt';
      const config = await write(`${tls}, ${policy}, client_allowed_sans: ["x", "${san}"] }`);
      await withServer(config, async (server) => {
        const own = { cert: await pem('client.crt'), key: await pem('client.key') };
        const isAccepted = await get(server, own).then(
          ({ status }) => status === 200,
          () => false,
        );
        assert.equal(isAccepted, accepted);
      });
    });
  }

  it('has the configured versions and ciphers of TLS', async () => {
    const cipher = 'cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]';
    await withServer(await write(`${tls}, max_version: TLS12, ${cipher} }`), async (server) => {
      const socket = connectTls({ host: '127.0.0.1', port: server.port, ca: await pem('server.crt') });
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      const found = [socket.getProtocol(), socket.getCipher().name];
      socket.destroy();
      assert.deepEqual(found, ['TLSv1.2', 'ECDHE-RSA-AES256-GCM-SHA384']);
    });
    await withServer(await write(`${tls}, min_version: TLS13 }`), async (server) => {
      await assert.rejects(get(server, { maxVersion: 'TLSv1.2' }));
      assert.equal((await get(server)).status, 200);
    });
  });

  it('adds its headers to every answer', async () => {
    const headers = 'headers: { X-Frame-Options: deny, Strict-Transport-Security: "max-age=9" }';
    await withServer(
      await write(`${tls} }\nhttp_server_config: { ${headers} }\n${users}`),
      async (server) => {
        for (const auth of ['ann:secret', 'ann:wrong']) {
          const answer = await get(server, { auth });
          assert.equal(answer.status, auth === 'ann:secret' ? 200 : 401);
          assert.equal(answer.headers['x-frame-options'], 'deny');
          assert.equal(answer.headers['strict-transport-security'], 'max-age=9');
        }
      },
    );
  });

  it('limits the rate of requests', async () => {
    await withServer({ rate_limit: { interval: '1h', burst: 3 } }, async (server) => {
      const statuses: number[] = [];
      for (let i = 0; i < 5; i++) statuses.push((await fetch(server.url)).status);
      assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
    });
  });

  it('is read again when it or a certificate changes, and stays in force when the new version is wrong', async () => {
    const path = await write(`${tls} }\n${users}`, 'changing.yml');
    const warnings: string[] = [];
    const listen = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', listen);
    try {
      await withServer(path, async (server) => {
        const statusOf = async (auth: string) => (await get(server, { auth })).status;
        assert.deepEqual([await statusOf('ann:secret'), await statusOf('bob:other')], [200, 401]);
        await write(`${tls} }\nbasic_auth_users: { bob: "${await hash('other', 4)}" }`, 'changing.yml');
        await until('the new user', async () => (await statusOf('bob:other')) === 200 || undefined);
        assert.equal(await statusOf('ann:secret'), 401);
        await write(`${tls}, nonsense: 1 }`, 'changing.yml');
        await until('a warning', async () => warnings.find((text) => text.includes('nonsense')));
        assert.equal(await statusOf('bob:other'), 200);
        await write('{}', 'changing.yml');
        await until('another warning', async () => warnings.find((text) => text.includes('TLS can only')));
        assert.equal(await statusOf('bob:other'), 200);
        const cert = tls.replaceAll('server.', 'other.');
        await write(`${cert} }\nbasic_auth_users: { bob: "${await hash('third', 4)}" }`, 'changing.yml');
        await until('the new password', async () => (await statusOf('bob:third')) === 200 || undefined);
        await assert.rejects(get(server, { auth: 'bob:third', ca: await pem('server.crt') }));
      });
      assert.ok(
        warnings.every((text) => text.startsWith('The old web configuration stays in force.')),
        warnings.join(),
      );
    } finally {
      process.off('warning', listen);
    }
  });

  it('is read again when a file that it names comes later', async () => {
    const path = await write(`${tls} }`, 'later.yml');
    await withServer(path, async (server) => {
      await write(`${tls.replaceAll('server.', 'late.')} }`, 'later.yml');
      // Two looks at the files.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      assert.equal((await get(server)).status, 200);
      await certify('late', 'DNS:localhost,IP:127.0.0.1');
      const ca = await pem('late.crt');
      await until('the new certificate', () =>
        get(server, { ca }).then(
          () => true,
          () => undefined,
        ),
      );
    });
  });

  it('lets a Prometheus server scrape over TLS with a client certificate and a password', async () => {
    const policy = 'client_auth_type: RequireAndVerifyClientCert, client_ca_file: authority.crt';
    await withServer(await write(`${tls}, ${policy} }\n${users}`), async (server) => {
      const files = `ca_file: ${file('server.crt')}, cert_file: ${file('client.crt')}, key_file: ${file('client.key')}`;
      const prometheus = await startPrometheus(
        `127.0.0.1:${server.port}`,
        [],
        ['scheme: https', `tls_config: { ${files} }`, 'basic_auth: { username: ann, password: secret }'],
      );
      try {
        const found = await until('a sample', async () => {
          const [series] = await prometheus.query('secure_total');
          return series;
        });
        assert.equal(found.value, 1);
      } finally {
        await prometheus.stop();
      }
    });
  });

  it('is refused with a header of two lines', async () => {
    const path = await write('http_server_config: { headers: { X-XSS-Protection: "a\\nb" } }');
    await assert.rejects(startMetricsServer({ port: 0, webConfig: path }), {
      code: 'METHEUS_INVALID_OPTIONS',
    });
  });

  describe('is judged as by promtool:', () => {
    const valid = 'cert_file: server.crt, key_file: server.key';
    const hashed = '$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi';
    const files = [
      '',
      '{}',
      'nonsense: 1',
      '- a',
      'tls_server_config: {}',
      'tls_server_config:',
      `tls_server_config: { ${valid} }`,
      'tls_server_config: { cert_file: server.crt }',
      'tls_server_config: { key_file: server.key }',
      'tls_server_config: { cert_file: server.crt, key_file: other.key }',
      'tls_server_config: { cert_file: missing.crt, key_file: server.key }',
      `tls_server_config: { ${valid}, nonsense: 1 }`,
      `tls_server_config: { ${valid}, client_auth_type: Nonsense }`,
      `tls_server_config: { ${valid}, client_ca_file: authority.crt }`,
      `tls_server_config: { ${valid}, client_ca_file: missing.crt, client_auth_type: RequestClientCert }`,
      `tls_server_config: { ${valid}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: authority.crt }`,
      ...['TLS10', 'TLS11', 'TLS12', 'TLS13', 'TLS14', 'tls12'].map(
        (version) => `tls_server_config: { ${valid}, min_version: ${version} }`,
      ),
      `tls_server_config: { ${valid}, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256] }`,
      `tls_server_config: { ${valid}, cipher_suites: [TLS_AES_128_GCM_SHA256] }`,
      `tls_server_config: { ${valid}, cipher_suites: [NONSENSE] }`,
      `tls_server_config: { ${valid}, cipher_suites: [] }`,
      `tls_server_config: { ${valid}, curve_preferences: [CurveP256, X25519] }`,
      `tls_server_config: { ${valid}, curve_preferences: [P256] }`,
      `tls_server_config: { ${valid}, prefer_server_cipher_suites: false }`,
      `tls_server_config: { ${valid}, prefer_server_cipher_suites: nonsense }`,
      'http_server_config: { http2: false }',
      'http_server_config: { http2: maybe }',
      'http_server_config: { headers: { X-Frame-Options: deny } }',
      'http_server_config: { headers: { X-Frame-Options: allow } }',
      'http_server_config: { headers: { X-Other: a } }',
      'http_server_config: { headers: { X-Content-Type-Options: nosniff, X-XSS-Protection: "1" } }',
      'http_server_config: { headers: { Content-Security-Policy: "default-src none" } }',
      `basic_auth_users: { ann: "${hashed}" }`,
      'basic_auth_users: { ann: plain }',
      'basic_auth_users: { ann: "" }',
      'basic_auth_users: {}',
      'basic_auth_users: [ann]',
      'tls_server_config: { cert_file: [',
    ];
    for (const text of files) {
      it(JSON.stringify(text), async () => {
        const path = await write(text, 'judged.yml');
        const { status } = spawnSync('promtool', ['check', 'web-config', path]);
        const server = await startMetricsServer({ port: 0, registry, webConfig: path }).catch((error) => {
          assert.equal(error.code, 'METHEUS_INVALID_OPTIONS', error.stack);
          assert.doesNotMatch(error.message, /QOauhQ|plain/);
          return undefined;
        });
        await server?.close();
        assert.equal(server !== undefined, status === 0);
      });
    }
  });
});
