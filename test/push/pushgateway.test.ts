/** Pushes to a real Pushgateway, and to servers that record requests. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { CollectorRegistry, createCounter, createGauge, createHistogram, seriesOf } from 'metheus';
import { parseMetrics } from 'metheus/parse';
import { PushError, Pushgateway } from 'metheus/push';
import { freePort, type RunningProcess, startProcess, until } from '../support/processes.js';
import { requireTool } from '../support/tools.js';

/** Returns the labels and values of a metric's series in an exposition, without those of the group of other tests. */
function seriesNamed(text: string, name: string): Record<string, number> {
  const family = parseMetrics(text).find((snapshot) => snapshot.family.name === name);
  if (family === undefined) return {};
  const texts = [...seriesOf(family)].map(({ labels, values }) => [
    JSON.stringify(Object.entries(labels).sort()),
    values[0]!,
  ]);
  return Object.fromEntries(texts);
}

describe('a Pushgateway', { skip: requireTool('prometheus-pushgateway') }, () => {
  let gateway: RunningProcess;
  let url: string;

  const served = async () => (await fetch(`${url}/metrics`)).text();
  const own = async (name: string) => seriesNamed(await served(), name);

  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    gateway = startProcess('prometheus-pushgateway', [
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ]);
    await until(
      'the Pushgateway',
      async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok || undefined,
    );
  });
  after(() => gateway?.stop());

  it('stores the pushed values in the group', async () => {
    const registry = new CollectorRegistry();
    createCounter('copied_total', 'Rows.', { requiredLabels: ['table'], registry })
      .labels({ table: 'a "b"' })
      .inc(3);
    await new Pushgateway({ url, job: 'copy', grouping: { instance: 'db-1' }, registry }).push();
    assert.deepEqual(await own('copied_total'), {
      '[["instance","db-1"],["job","copy"],["table","a \\"b\\""]]': 3,
    });
  });

  const values = ['plain', 'a/b', '', '.', '..', 'x y?#%&', '漢字 😀', '+', '=', 'a@base64'];
  for (const value of values) {
    it(`accepts ${JSON.stringify(value)} as a value of the group`, async () => {
      const registry = new CollectorRegistry();
      createGauge('grouped', 'G.', { registry }).set(1);
      const group = new Pushgateway({ url, job: 'a/job', grouping: { path: value }, registry });
      await group.push();
      const labels = [
        ['instance', ''],
        ['job', 'a/job'],
        ['path', value],
      ].filter(([, given]) => given !== '');
      const found = Object.keys(await own('grouped')).map((key) =>
        JSON.stringify((JSON.parse(key) as [string, string][]).filter(([, given]) => given !== '')),
      );
      assert.deepEqual(found, [JSON.stringify(labels)]);
      await group.delete();
      assert.deepEqual(await own('grouped'), {});
    });
  }

  it('replaces the whole group by push, and only equal names by pushAdd', async () => {
    const groupOf = (...names: string[]) => {
      const registry = new CollectorRegistry();
      for (const name of names) createGauge(name, 'G.', { registry }).set(names.length);
      return new Pushgateway({ url, job: 'replace', registry });
    };
    const stored = async () => {
      const [one, two] = [await own('replaced_one'), await own('replaced_two')];
      return [Object.values(one), Object.values(two)];
    };
    await groupOf('replaced_one', 'replaced_two').push();
    assert.deepEqual(await stored(), [[2], [2]]);
    await groupOf('replaced_one').pushAdd();
    assert.deepEqual(await stored(), [[1], [2]]);
    await groupOf('replaced_two').push();
    assert.deepEqual(await stored(), [[], [1]]);
  });

  it('stores the same numbers from text and protobuf', async () => {
    const registry = new CollectorRegistry();
    const histogram = createHistogram('took_seconds', 'H.', { buckets: [0.1, 1], registry });
    for (const value of [0.05, 0.5, 5]) histogram.observe(value);
    for (const format of ['text', 'protobuf'] as const) {
      await new Pushgateway({ url, job: 'formats', grouping: { format }, registry, format }).push();
    }
    const lines = (await served()).split('\n').filter((line) => line.startsWith('took_seconds'));
    const [text, protobuf] = ['text', 'protobuf'].map((format) =>
      lines.filter((line) => line.includes(`"${format}"`)).map((line) => line.replace(format, '')),
    );
    assert.equal(text?.length, 5);
    assert.deepEqual(text, protobuf);
  });

  it('rejects with the message of the Pushgateway', async () => {
    const first = new CollectorRegistry();
    createGauge('inconsistent', 'One.', { registry: first }).set(1);
    await new Pushgateway({ url, job: 'first', registry: first }).push();
    const registry = new CollectorRegistry();
    createCounter('inconsistent', 'One.', { registry }).inc();
    await assert.rejects(new Pushgateway({ url, job: 'second', registry }).push(), (error: PushError) => {
      assert.ok(error instanceof PushError);
      assert.equal(error.code, 'METHEUS_PUSH_FAILED');
      assert.equal(error.status, 400);
      assert.match(error.message, /pushed metrics are invalid or inconsistent/);
      return true;
    });
  });

  it('gets the numbers of a program that ends', async () => {
    const program = `
      import { createCounter } from 'metheus';
      import { Pushgateway } from 'metheus/push';
      const rows = createCounter('last_rows_total', 'Rows.');
      new Pushgateway({ url: ${JSON.stringify(url)}, job: 'ending' }).pushOnExit();
      setTimeout(() => rows.inc(7), 1);
      process.exitCode = 3;`;
    const ended = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]).catch(
      (error: { code: number; stderr: string }) => error,
    );
    assert.deepEqual([(ended as { code: number }).code, ended.stderr], [3, '']);
    assert.deepEqual(Object.values(await own('last_rows_total')), [7]);
  });
});

describe('a request to a Pushgateway', () => {
  interface Recorded {
    readonly method: string | undefined;
    readonly url: string | undefined;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
  }

  async function serve(answer: RequestListener, use: (url: string, requests: Recorded[]) => Promise<void>) {
    const requests: Recorded[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      requests.push({
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: Buffer.concat(chunks),
      });
      answer(request, response);
    }).listen(0, '::1');
    await once(server, 'listening');
    try {
      await use(`http://[::1]:${(server.address() as AddressInfo).port}`, requests);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const accept: RequestListener = (_, response) => response.writeHead(202).end();

  function registryWithCounter(): CollectorRegistry {
    const registry = new CollectorRegistry();
    createCounter('sent_total', 'S.', { registry }).inc();
    return registry;
  }

  it('has credentials, headers, the path of the URL, and a compressed body', async () => {
    await serve(accept, async (url, requests) => {
      const registry = registryWithCounter();
      const auth = { username: 'üser', password: 'a:b' };
      const headers = { 'X-Scope-OrgID': 'team' };
      await new Pushgateway({
        url: `${url}/gateway`,
        job: 'j',
        auth,
        headers,
        compress: true,
        registry,
      }).push();
      await new Pushgateway({ url, job: 'j', auth: { bearer: 'secret' }, registry }).pushAdd();
      const [one, two] = requests as [Recorded, Recorded];
      assert.deepEqual([one.method, one.url], ['PUT', '/gateway/metrics/job/j']);
      assert.equal(one.headers.authorization, `Basic ${Buffer.from('üser:a:b').toString('base64')}`);
      assert.equal(one.headers['x-scope-orgid'], 'team');
      assert.match(gunzipSync(one.body).toString(), /^sent_total 1$/m);
      assert.deepEqual([two.method, two.url], ['POST', '/metrics/job/j']);
      assert.equal(two.headers.authorization, 'Bearer secret');
      assert.equal(two.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    });
  });

  it('fails after the timeout', async () => {
    await serve(
      () => {},
      async (url) => {
        const gateway = new Pushgateway({ url, job: 'j', timeout: 0.2, registry: registryWithCounter() });
        await assert.rejects(gateway.push(), { code: 'METHEUS_PUSH_FAILED', message: /nothing for 0.2 s/ });
      },
    );
  });

  it('fails when the connection breaks in the middle of the answer', async () => {
    await serve(
      (request, response) => {
        response.writeHead(200, { 'Content-Length': '100' }).write('part', () => request.socket.destroy());
      },
      async (url) => {
        const gateway = new Pushgateway({ url, job: 'j', registry: registryWithCounter() });
        await assert.rejects(gateway.push(), { code: 'METHEUS_PUSH_FAILED' });
      },
    );
  });

  it('reads no more than a part of an answer without end', async () => {
    await serve(
      (_, response) => {
        response.writeHead(500);
        const more = () => void (response.destroyed || response.write('x'.repeat(1000), more));
        more();
      },
      async (url) => {
        const gateway = new Pushgateway({ url, job: 'j', registry: registryWithCounter() });
        await assert.rejects(gateway.push(), (error: PushError) => {
          assert.equal(error.status, 500);
          assert.ok(error.message.length < 1000);
          return true;
        });
      },
    );
  });

  it('is not sent again to another address', async () => {
    await serve(
      (_, response) => response.writeHead(307, { Location: 'http://127.0.0.1:9/' }).end(),
      async (url, requests) => {
        const gateway = new Pushgateway({ url, job: 'j', registry: registryWithCounter() });
        await assert.rejects(gateway.push(), { status: 307 });
        assert.equal(requests.length, 1);
      },
    );
  });

  it('shows no password in the error of a wrong URL', () => {
    const url = 'ftp://user:hidden@127.0.0.1';
    for (const given of [url, new URL(url), 'user:hidden@//x:hidden@y']) {
      assert.throws(
        () => new Pushgateway({ url: given, job: 'j' }),
        (error: Error) => !error.message.includes('hidden'),
      );
    }
  });

  it('shows no password in an error', async () => {
    const port = await freePort();
    const url = `http://user:hidden@127.0.0.1:${port}`;
    await assert.rejects(new Pushgateway({ url, job: 'j' }).delete(), (error: Error) => {
      assert.doesNotMatch(error.message, /hidden/);
      return true;
    });
  });

  it('is refused for a metric with a label of the group', async () => {
    const registry = new CollectorRegistry();
    createGauge('clash', 'C.', { requiredLabels: ['instance'], registry })
      .labels({ instance: 'a' })
      .set(1);
    const gateway = new Pushgateway({
      url: 'http://127.0.0.1:9',
      job: 'j',
      grouping: { instance: 'b' },
      registry,
    });
    await assert.rejects(gateway.push(), {
      code: 'METHEUS_RESERVED_LABEL_NAME',
      message: /'instance' of metric 'clash'/,
    });
  });

  const wrong: readonly [string, object][] = [
    ['no URL', { url: undefined }],
    ['another protocol', { url: 'ftp://127.0.0.1' }],
    ['a path alone', { url: '/metrics' }],
    ['an empty job', { job: '' }],
    ['a job that is a number', { job: 1 }],
    ['a label named job', { grouping: { job: 'x' } }],
    ['a label with a dash', { grouping: { 'a-b': 'x' } }],
    ['a label of Prometheus', { grouping: { __name__: 'x' } }],
    ['a number as a value of the group', { grouping: { a: 1 } }],
    ['a line feed in a header', { headers: { a: 'b\nc' } }],
    ['a space in the name of a header', { headers: { 'a b': 'c' } }],
    ['half a user', { auth: { username: 'a' } }],
    ['a user with a colon', { auth: { username: 'a:b', password: 'c' } }],
    ['a timeout of 0', { timeout: 0 }],
    ['a timeout of NaN', { timeout: Number.NaN }],
    ['an unknown format', { format: 'openmetrics' }],
    ['an unknown option', { instance: 'a' }],
  ];
  for (const [what, options] of wrong) {
    it(`is refused with ${what}`, () => {
      const given = { url: 'http://127.0.0.1:9091', job: 'j', ...options } as ConstructorParameters<
        typeof Pushgateway
      >[0];
      assert.throws(() => new Pushgateway(given), { code: 'METHEUS_INVALID_OPTIONS' });
    });
  }
});

describe('a push over TLS', { skip: requireTool('openssl') }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'metheus-tls-'));
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    for (const name of ['server', 'client']) {
      const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)];
      const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...files, ...subject];
      await promisify(execFile)('openssl', args);
    }
  });
  after(() => rm(folder, { recursive: true }));

  it('trusts the given authority only, and shows the client certificate', async () => {
    const read = (name: string) => readFile(join(folder, name));
    const clients: string[] = [];
    const server = createTlsServer(
      {
        key: await read('server.key'),
        cert: await read('server.crt'),
        ca: await read('client.crt'),
        requestCert: true,
        rejectUnauthorized: false,
      },
      (request, response) => {
        const socket = request.socket as TLSSocket;
        clients.push(socket.authorized ? String(socket.getPeerCertificate().subject.CN) : 'none');
        request.resume().on('end', () => response.end());
      },
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const registry = new CollectorRegistry();
      const push = (tls: object) => new Pushgateway({ url, job: 'j', registry, tls }).push();
      await assert.rejects(push({}), { code: 'METHEUS_PUSH_FAILED', message: /self-signed/ });
      await push({ ca: await read('server.crt') });
      await push({
        ca: await read('server.crt'),
        cert: await read('client.crt'),
        key: await read('client.key'),
      });
      await push({ rejectUnauthorized: false });
      assert.deepEqual(clients, ['none', 'localhost', 'none']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
