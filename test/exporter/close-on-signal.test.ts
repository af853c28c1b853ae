/** Programs that end by a signal. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { closeOnSignal } from 'metheus/http';
import { type RunningProcess, startProcess, until } from '../support/processes.js';

function startProgram(code: string, env: Record<string, string> = {}): RunningProcess {
  const args = ['--input-type=module', '-e', code];
  return startProcess(process.execPath, args, { env: { ...process.env, ...env } });
}

/** Returns the URL that a program has printed. */
const urlOf = (program: RunningProcess): Promise<string> =>
  until('the URL', async () => /^http:\S+$/m.exec(program.output())?.[0]);

describe('a program that receives SIGTERM', () => {
  it('answers the running scrape, refuses others, delivers its last numbers, and ends by the signal', async () => {
    const bodies: string[] = [];
    const gateway = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      bodies.push(body);
      response.end();
    }).listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/v1/metrics`;
    const directory = await mkdtemp(join(tmpdir(), 'metheus-signal-'));
    const program = startProgram(
      `
      import { createCounter, REGISTRY } from 'metheus';
      import { closeOnSignal, startMetricsServer } from 'metheus/http';
      import { startOtlp } from 'metheus/push';
      const jobs = createCounter('jobs_total', 'J.');
      process.once('SIGTERM', () => jobs.inc(40));
      let isSlow = true;
      REGISTRY.register({ async collect() {
        if (isSlow) {
          console.log('collecting');
          await new Promise((resolve) => process.once('SIGTERM', () => setTimeout(resolve, 300)));
          isSlow = false;
        }
        jobs.inc(1);
        return [];
      } });
      const server = await startMetricsServer({ port: 0 });
      const pusher = await startOtlp({ url: ${JSON.stringify(url)}, format: 'json', interval: 1000 });
      closeOnSignal([server, pusher]);
      console.log(server.url);`,
      {
        METHEUS_BACKEND_CLASS: 'file',
        METHEUS_BACKEND_CONFIG: JSON.stringify({ directory }),
      },
    );
    try {
      const metrics = await urlOf(program);
      const running = fetch(metrics);
      await until('the scrape', async () => program.output().includes('collecting') || undefined);
      program.child.kill('SIGTERM');
      await until('refusals', () =>
        fetch(metrics).then(
          () => undefined,
          () => true,
        ),
      );
      const response = await running;
      assert.equal(response.status, 200);
      assert.match(await response.text(), /^jobs_total 41$/m);
      const [code, signal] = await (program.child.exitCode === null && program.child.signalCode === null
        ? once(program.child, 'exit')
        : [program.child.exitCode, program.child.signalCode]);
      assert.deepEqual([code, signal], [null, 'SIGTERM'], program.output());
      const counts = bodies.map((body) => /"name":"jobs",.*?"asDouble":(\d+)/.exec(body)?.[1]);
      assert.deepEqual(counts, ['42']);
    } finally {
      await program.stop();
      gateway.close();
      await rm(directory, { recursive: true });
    }
  });

  const endless = `
    import { closeOnSignal, startMetricsServer } from 'metheus/http';
    const server = await startMetricsServer({ port: 0 });
    const hung = { [Symbol.asyncDispose]: () => { console.log('closing'); return new Promise(() => {}); } };`;

  it('ends at the time limit', async () => {
    const program = startProgram(
      `${endless} closeOnSignal([hung], { timeout: 0.2 }); console.log(server.url);`,
    );
    await urlOf(program);
    program.child.kill('SIGINT');
    const [code, signal] = await once(program.child, 'exit');
    assert.deepEqual([code, signal], [null, 'SIGINT']);
  });

  it('ends at once after a second signal', async () => {
    const program = startProgram(
      `${endless} closeOnSignal([hung], { timeout: 1000 }); console.log(server.url);`,
    );
    await urlOf(program);
    program.child.kill('SIGTERM');
    await until('the first signal', async () => program.output().includes('closing') || undefined);
    program.child.kill('SIGTERM');
    const [code, signal] = await once(program.child, 'exit');
    assert.deepEqual([code, signal], [null, 'SIGTERM']);
  });

  it('ends although the program has a listener of its own', async () => {
    const program = startProgram(`
      process.on('SIGTERM', () => console.log('own'));
      ${endless} closeOnSignal([server]); console.log(server.url);`);
    await urlOf(program);
    program.child.kill('SIGTERM');
    const [, signal] = await once(program.child, 'exit');
    assert.equal(signal, 'SIGTERM');
    assert.match(program.output(), /own/);
  });

  it('closes the rest when one fails', async () => {
    const program = startProgram(`${endless}
      const failing = { [Symbol.asyncDispose]: () => Promise.reject(new Error('broken')) };
      const last = { [Symbol.asyncDispose]: async () => console.log('last') };
      closeOnSignal([failing, last, server]); console.log(server.url);`);
    await urlOf(program);
    program.child.kill('SIGTERM');
    const [, signal] = await once(program.child, 'exit');
    assert.equal(signal, 'SIGTERM');
    assert.match(program.output(), /last/);
    assert.match(program.output(), /something was not closed: broken/);
  });
});

describe('closeOnSignal', () => {
  it('can be cancelled', () => {
    const before = process.listenerCount('SIGTERM');
    const cancel = closeOnSignal([]);
    assert.equal(process.listenerCount('SIGTERM'), before + 1);
    cancel();
    assert.equal(process.listenerCount('SIGTERM'), before);
  });

  const wrong: readonly [unknown, object][] = [
    ['server', {}],
    [[{}], {}],
    [[], { signals: ['SIGNONE'] }],
    [[], { timeout: -1 }],
    [[], { signal: 'SIGTERM' }],
  ];
  for (const [resources, options] of wrong) {
    it(`refuses ${JSON.stringify([resources, options])}`, () => {
      assert.throws(() => closeOnSignal(resources as [], options), { code: 'METHEUS_INVALID_OPTIONS' });
    });
  }
});
