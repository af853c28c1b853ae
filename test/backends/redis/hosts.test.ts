/** Hosts in brackets, as in a URL, wherever the configuration has a host. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { publicConfig, settingsOf } from '#metheus/backends/redis/config.js';
import { requireTool } from '../../support/tools.js';
import { startRedis } from './server.js';

const hasIPv6 = () =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));

describe('an IPv6 host in brackets', () => {
  it('is the same host without them', () => {
    const node = { host: '[2001:db8::1]', port: 7000 };
    const settings = settingsOf({
      host: '[::1]',
      cluster: [node],
      ioredis: { sentinels: [{ ...node, port: 26_379 }], name: 'primary' },
    });
    assert.equal(settings.connection.host, '::1');
    assert.deepEqual(settings.cluster, [{ host: '2001:db8::1', port: 7000 }]);
    assert.deepEqual(settings.connection.sentinels, [{ host: '2001:db8::1', port: 26_379 }]);
    assert.equal(publicConfig(settingsOf({ url: 'redis://[::1]:6380' })).host, '::1');
    const storages = [{ host: '[::1]' }, { host: '::1' }, { url: 'redis://[::1]' }].map(
      (config) => new MultiProcessRedisBackend(config).storage,
    );
    assert.equal(new Set(storages).size, 1, String(storages));
  });

  it('is connected to', { skip: requireTool('redis-server') || !hasIPv6() }, async () => {
    const redis = await startRedis();
    const forward = createServer((socket) => {
      const target = connect(redis.port, '127.0.0.1');
      for (const one of [socket, target]) one.on('error', () => {});
      socket.pipe(target).pipe(socket);
    }).listen(0, '::1');
    await once(forward, 'listening');
    const { port } = forward.address() as AddressInfo;
    try {
      for (const config of [{ host: '[::1]', port }, { url: `redis://[::1]:${port}` }]) {
        const backend = new MultiProcessRedisBackend({ ...config, failFast: true });
        await backend.open();
        await backend.close();
      }
    } finally {
      forward.close();
      await redis.stop();
    }
  });
});
