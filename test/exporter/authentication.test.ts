/** Credentials of requests to a server. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { hash } from 'bcrypt';
import { CollectorRegistry, createCounter } from 'metheus';
import { type MetricsServer, type MetricsServerOptions, startMetricsServer } from 'metheus/http';
import { TqdmPromProxy } from 'metheus/progress';
import { until } from '../support/processes.js';

const registry = new CollectorRegistry();
createCounter('seen_total', 'S.', { registry }).inc();

async function withServer(
  options: MetricsServerOptions,
  use: (server: MetricsServer) => Promise<void>,
): Promise<void> {
  await using server = await startMetricsServer({ port: 0, registry, ...options });
  await use(server);
}

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** Returns the status of a scrape. */
async function statusOf(server: MetricsServer, authorization?: string): Promise<number> {
  const response = await fetch(server.url, { headers: authorization === undefined ? {} : { authorization } });
  const text = await response.text();
  assert.equal(text.includes('seen_total'), response.status === 200, text);
  return response.status;
}

describe('a token', () => {
  it('is needed for every page', () =>
    withServer({ auth: { bearer: 'secret' } }, async (server) => {
      const { origin } = new URL(server.url);
      for (const path of ['/', '/metrics', '/nowhere', '/metrics?a=b']) {
        const response = await fetch(origin + path);
        assert.equal(response.status, 401, path);
        assert.equal(response.headers.get('www-authenticate'), 'Bearer');
        assert.equal(await response.text(), 'Unauthorized\n');
      }
    }));

  const cases: readonly [given: string | undefined, status: number][] = [
    ['Bearer secret', 200],
    ['bearer secret', 200],
    ['Bearer other', 200],
    ['Bearer  secret', 200],
    ['Bearer secret2', 401],
    ['Bearer secre', 401],
    ['Bearer ', 401],
    ['secret', 401],
    ['Basic secret', 401],
    [basic('secret', 'secret'), 401],
    [undefined, 401],
  ];
  for (const [given, status] of cases) {
    it(`is ${status === 200 ? 'accepted' : 'refused'} as ${given ?? 'no header'}`, () =>
      withServer({ auth: { bearer: ['secret', 'other'] } }, async (server) => {
        assert.equal(await statusOf(server, given), status);
      }));
  }
});

describe('users', () => {
  let users: Record<string, string>;
  before(async () => {
    users = { ann: await hash('pässword', 4), bob: (await hash('a:b', 4)).replace('$2b$', '$2y$') };
  });

  const cases: readonly [user: string, password: string, status: number][] = [
    ['ann', 'pässword', 200],
    ['bob', 'a:b', 200],
    ['ann', 'a:b', 401],
    ['ann', '', 401],
    ['eve', 'pässword', 401],
    ['eve', 'fakepassword', 401],
    ['', '', 401],
    ['constructor', 'x', 401],
  ];
  for (const [user, password, status] of cases) {
    it(`are ${status === 200 ? 'accepted' : 'refused'} as ${user}:${password}, each time`, () =>
      withServer({ auth: { users } }, async (server) => {
        for (let i = 0; i < 3; i++) assert.equal(await statusOf(server, basic(user, password)), status);
      }));
  }

  it('are asked for their password', () =>
    withServer({ auth: { users } }, async (server) => {
      const response = await fetch(server.url, { headers: { authorization: 'Basic !' } });
      assert.deepEqual([response.status, response.headers.get('www-authenticate')], [401, 'Basic']);
    }));

  it('are answered with 503 while many passwords are being checked', () =>
    withServer({ auth: { users: { slow: hashOfCost(10) } }, maxRequestsInFlight: 1000 }, async (server) => {
      const attempts = Array.from({ length: 80 }, (_, i) => statusOf(server, basic('slow', `guess ${i}`)));
      const statuses = new Set(await Promise.all(attempts));
      assert.deepEqual([...statuses].sort(), [401, 503]);
    }));

  /** A hash of the given cost, which no password of the test has. */
  function hashOfCost(cost: number): string {
    return `$2b$${cost}$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi`;
  }
});

describe('a function', () => {
  it('decides by the request', () => {
    const seen: unknown[] = [];
    const auth = async (request: { url?: string | undefined }) => {
      seen.push(request);
      return request.url === '/metrics?yes';
    };
    return withServer({ auth }, async (server) => {
      assert.equal((await fetch(`${server.url}?yes`)).status, 200);
      assert.equal((await fetch(server.url, { headers: { authorization: 'x' } })).status, 401);
      assert.deepEqual(seen, [
        { authorization: undefined, method: 'GET', url: '/metrics?yes' },
        { authorization: 'x', method: 'GET', url: '/metrics' },
      ]);
    });
  });

  const refusing: readonly [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['returns nothing', () => {}],
    ['returns an object', () => ({})],
  ];
  for (const [what, auth] of refusing) {
    it(`that ${what} refuses`, () =>
      withServer({ auth: auth as () => boolean }, async (server) => {
        assert.equal(await statusOf(server), 401);
      }));
  }
});

describe('options of authentication', () => {
  const wrong: readonly [string, object][] = [
    ['an empty token', { auth: { bearer: '' } }],
    ['no credentials', { auth: {} }],
    ['an unknown key', { auth: { token: 'x' } }],
    ['a plain password', { auth: { users: { ann: 'secret' } } }],
    [
      'a user with a colon',
      { auth: { users: { 'a:b': '$2b$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi' } } },
    ],
    ['a text', { auth: 'secret' }],
    ['requireAuth alone', { requireAuth: true }],
    ['requireAuth and a configuration without users', { requireAuth: true, webConfig: {} }],
  ];
  for (const [what, options] of wrong) {
    it(`are refused with ${what}, without a secret in the message`, async () => {
      await assert.rejects(
        startMetricsServer({ port: 0, ...options } as MetricsServerOptions),
        (error: Error) => {
          assert.equal((error as { code?: string }).code, 'METHEUS_INVALID_OPTIONS');
          if (what !== 'a text') assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }

  it('allow a server that requires authentication', () =>
    withServer({ requireAuth: true, auth: { bearer: 'x' } }, async (server) => {
      assert.equal(await statusOf(server, 'Bearer x'), 200);
    }));
});

describe('a server that other machines reach', () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => void warnings.push(warning.message);
  before(() => process.on('warning', listen));
  after(() => process.off('warning', listen));

  it('causes one warning unless it requires credentials', async () => {
    await withServer({ host: '0.0.0.0', auth: { bearer: 'x' } }, async () => {});
    await withServer({ host: '127.0.0.1' }, async () => {});
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
    await withServer({ host: '0.0.0.0' }, async () => {});
    await withServer({ host: '0.0.0.0' }, async () => {});
    await new Promise(setImmediate);
    assert.deepEqual(warnings, [
      'Every machine that reaches 0.0.0.0 can read the metrics. Give auth or webConfig, or listen on 127.0.0.1.',
    ]);
  });
});

describe('a proxy of progress bars', () => {
  it('requires credentials for all of its pages', async () => {
    const proxy = new TqdmPromProxy({ httpPort: 0, name: 'guarded', auth: { bearer: 'x' } });
    await proxy.start();
    try {
      for (const path of ['/metrics', '/debug', '/']) {
        const url = new URL(path, proxy.url);
        assert.equal((await fetch(url)).status, 401);
        assert.equal((await fetch(url, { headers: { authorization: 'Bearer x' } })).status, 200);
      }
    } finally {
      await proxy.stop();
    }
  });

  it('rejects wrong options when it starts', async () => {
    await assert.rejects(new TqdmPromProxy({ httpPort: 0, requireAuth: true }).start(), {
      code: 'METHEUS_INVALID_OPTIONS',
    });
  });
});

describe('limits of a server', () => {
  it('answer with 503 when too many requests are being answered', async () => {
    let release = () => {};
    const waiting = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = { collect: () => waiting.then(() => registry.collect()) };
    await withServer({ registry: slow, maxRequestsInFlight: 2 }, async (server) => {
      const running = [statusOf(server), statusOf(server)];
      await until('a refusal', async () => {
        const response = await fetch(server.url, { signal: AbortSignal.timeout(100) }).catch(() => undefined);
        return response?.status === 503 && response.headers.get('retry-after') === '1' ? true : undefined;
      });
      release();
      assert.deepEqual(await Promise.all(running), [200, 200]);
      assert.equal(await statusOf(server), 200);
    });
  });

  it('close connections beyond the maximum, and free the others', async () => {
    await withServer({ maxConnections: 5 }, async (server) => {
      const sockets = Array.from({ length: 20 }, () =>
        connect(server.port, '127.0.0.1').on('error', () => {}),
      );
      await until('refusals', async () => sockets.filter(({ closed }) => closed).length === 15 || undefined);
      for (const socket of sockets) socket.destroy();
      const answer = await until('an answer', () => statusOf(server).catch(() => undefined));
      assert.equal(answer, 200);
    });
  });

  for (const limit of [0, -1, 1.5, Number.NaN, '5']) {
    it(`are refused as ${typeof limit} ${limit}`, async () => {
      for (const option of ['maxConnections', 'maxRequestsInFlight']) {
        await assert.rejects(startMetricsServer({ port: 0, [option]: limit }), {
          code: 'METHEUS_INVALID_OPTIONS',
        });
      }
    });
  }
});
