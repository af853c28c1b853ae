/** A server under attack: idle connections, readers that read nothing, long URLs and headers. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/processes.js';

const PROGRAM = `
  import { createGauge } from 'metheus';
  import { startMetricsServer } from 'metheus/http';
  const gauge = createGauge('series', 'S.', { requiredLabels: ['id'] });
  for (let id = 0; id < 1_000_000; id++) gauge.labels({ id }).set(id);
  const server = await startMetricsServer({ port: 0 });
  process.on('message', () => {
    global.gc();
    process.send(process.memoryUsage().rss / 2 ** 20);
  });
  process.send(server.port);`;

describe('a server with 1,000,000 series', () => {
  let child: ChildProcess;
  let port: number;
  let atRest: number;
  let sockets: Socket[] = [];

  /** Returns the resident memory of the server in MiB. */
  async function memory(): Promise<number> {
    child.send('memory');
    const [size] = (await once(child, 'message')) as [number];
    return size;
  }

  before(async () => {
    const args = ['--expose-gc', '--input-type=module', '-e', PROGRAM];
    child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    [port] = (await once(child, 'message')) as [number];
    await (await fetch(`http://127.0.0.1:${port}/metrics`)).arrayBuffer();
    atRest = await memory();
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    child?.kill();
  });

  const open = (count: number): Socket[] =>
    Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}));

  async function closeAll(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    sockets = [];
    await until('an answer', async () => {
      const response = await fetch(`http://127.0.0.1:${port}/-/healthy`).catch(() => undefined);
      return response?.ok || undefined;
    });
  }

  it('keeps 512 of 2,000 idle connections, at less than 100 kB each', async () => {
    sockets = open(2000);
    await until('refusals', async () => sockets.filter(({ closed }) => closed).length >= 1488 || undefined);
    const used = (await memory()) - atRest;
    assert.ok(used < 50, `${used} MiB`);
    await closeAll();
  });

  it('holds no exposition for 50 clients that read nothing', async () => {
    sockets = open(50);
    for (const socket of sockets) {
      socket.pause();
      socket.write('GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    }
    // Long enough for every response to reach the limit of what waits to be read.
    await sleep(3000);
    const used = (await memory()) - atRest;
    // One exposition has 27 MB.
    assert.ok(used < 200, `${used} MiB`);
    await closeAll();
  });

  const answerTo = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.once('data', (data) => {
        resolve(data.toString('latin1').slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
        socket.destroy();
      });
      socket.on('error', () => resolve('broken'));
    });

  it('refuses URLs of 100 kB and long headers, and answers a header Accept of 12 kB', async () => {
    const url = `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    const accept = (items: number) =>
      `GET /metrics?name[]=none HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: ${'a/b;q=0.1,'.repeat(items)}\r\n\r\n`;
    for (let i = 0; i < 100; i++) {
      assert.match(await answerTo(url), /431|broken/);
      assert.match(await answerTo(accept(2000)), /431|broken/);
    }
    for (let i = 0; i < 5; i++) assert.equal(await answerTo(accept(1200)), '200');
    const used = (await memory()) - atRest;
    assert.ok(used < 100, `${used} MiB`);
  });
});
