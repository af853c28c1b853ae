/** An hour of remote write with outages, by a clock that the test moves. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter, createGauge } from 'metheus';
import { startRemoteWrite } from 'metheus/push';
import { startReceiver } from '../support/prometheus-server.js';
import { requireTool } from '../support/tools.js';

const STEPS = 240;
const STEP_MS = 15_000;

/** The outage of a step: none, a broken connection, or an answer of a server that is overloaded. */
function outageAt(step: number): 'none' | 'broken' | 503 | 429 {
  if (step >= 20 && step < 60) return 'broken';
  if (step >= 90 && step < 150) return 503;
  if (step >= 200 && step < 210) return 429;
  return 'none';
}

describe('an hour of remote write', { skip: requireTool('prometheus') }, () => {
  it('arrives whole and in order, although the server is down for almost half of it', async (t) => {
    const prometheus = await startReceiver();
    let step = 0;
    let refused = 0;
    const proxy = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const outage = outageAt(step);
      if (outage !== 'none') refused += 1;
      if (outage === 'broken') return void request.socket.destroy();
      if (outage !== 'none') return void response.writeHead(outage, { 'Retry-After': '30' }).end();
      const { host: _, connection: __, ...headers } = request.headers as Record<string, string>;
      const answer = await fetch(prometheus.writeUrl, {
        method: 'POST',
        headers,
        body: Buffer.concat(chunks),
      });
      response.writeHead(answer.status).end(await answer.text());
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const registry = new CollectorRegistry();
    const counter = createCounter('hour_total', 'H.', { registry });
    const gauges = createGauge('hour', 'H.', { requiredLabels: ['id'], registry });
    const start = Math.floor(Date.now() / 1000) * 1000 - STEPS * STEP_MS;
    t.mock.timers.enable({ apis: ['Date'], now: start });
    const pusher = await startRemoteWrite({
      url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      labels: { job: 'hour' },
      registry,
      interval: 1_000_000,
    });
    try {
      for (step = 0; step < STEPS; step++) {
        t.mock.timers.setTime(start + step * STEP_MS);
        counter.inc(step);
        for (let id = 0; id < 20; id++) gauges.labels({ id }).set(step * id);
        const flushed = pusher.flush().then(
          () => 'none',
          ({ status }) => status ?? 'broken',
        );
        assert.equal(await flushed, outageAt(step));
      }
      assert.ok(refused >= 110, String(refused));
      assert.deepEqual(pusher.samples, { sent: STEPS * 21, dropped: 0, pending: 0 });
      const expected = (value: (step: number) => number) =>
        Array.from({ length: STEPS }, (_, i) => [(start + i * STEP_MS) / 1000, value(i)]);
      const [total] = await prometheus.samples('hour_total[2h]');
      assert.deepEqual(
        total?.values,
        expected((i) => (i * (i + 1)) / 2),
      );
      const all = await prometheus.samples('hour[2h]');
      assert.equal(all.length, 20);
      for (const { labels, values } of all) {
        assert.deepEqual(
          values,
          expected((i) => i * Number(labels.id)),
        );
      }
    } finally {
      await pusher.close();
      proxy.closeAllConnections();
      proxy.close();
      await prometheus.stop();
    }
  });
});
