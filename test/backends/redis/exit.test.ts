/** Programs that use the Redis backend: how they end, and what they leave. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { RedisBackendConfig } from 'metheus/backends/redis';
import { freePort, until } from '../../support/processes.js';
import { requireTool } from '../../support/tools.js';
import { rowsOf } from '../contract.js';
import { linesOf, startProgram } from './programs.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

describe('programs with the Redis backend', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  /** Returns the counter of the programs, as a reader of Redis sees it. */
  async function readCounter(options: RedisBackendConfig): Promise<unknown> {
    const reader = await openBackend(options);
    const snapshots = await reader.snapshot({ families: [], scopes: [''] });
    await reader.close();
    const counter = snapshots.find(({ family }) => family.name === 'c_total');
    return counter && rowsOf(counter)[0]?.[1][0];
  }

  it('send everything before they end', async () => {
    const options = optionsFor(server);
    const program = startProgram(
      `const c = metheus.createCounter('c_total', 'C.'); c.inc(); await c.backend.flush(); c.inc(4);
       metheus.createGauge('g', 'G.', { multiprocessMode: 'livesum' }).set(1);`,
      options,
    );
    assert.equal(await program.ended(), 0, program.output());
    assert.equal(await readCounter(options), 5);
    assert.equal(
      await server.call('ZCOUNT', `${options.keyPrefix}:producers`, 0, '+inf'),
      0,
      'no producer counts as running',
    );
  });

  it('end by themselves while Redis is unavailable', async () => {
    const options = optionsFor({ port: await freePort() });
    const program = startProgram("metheus.createCounter('c_total', 'C.').inc();", options);
    assert.equal(await program.ended(), 0, program.output());
    assert.match(program.output(), /Redis is unavailable, metrics are kept in memory: connect ECONNREFUSED/);
  });

  it('flush at each flushInterval', async () => {
    const options = optionsFor(server, { flushInterval: 0.05 });
    const program = startProgram(
      "metheus.createCounter('c_total', 'C.').inc(7); setInterval(() => {}, 1000);",
      options,
    );
    await until('the counter', async () => ((await readCounter(options)) === 7 ? true : undefined));
    program.child.kill('SIGKILL');
    await program.ended();
    assert.equal(await readCounter(options), 7);
  });

  it('take the backend from the environment', async () => {
    const options = optionsFor(server);
    const env = { METHEUS_BACKEND_CLASS: 'redis', METHEUS_BACKEND_CONFIG: JSON.stringify(options) };
    Object.assign(process.env, env);
    const program = startProgram("metheus.createCounter('c_total', 'C.').inc(2);", {}, false);
    for (const name of Object.keys(env)) delete process.env[name];
    assert.equal(await program.ended(), 0, program.output());
    assert.equal(await readCounter(options), 2);
  });

  it('without ioredis get an error that names the package, and continue', async () => {
    const program = startProgram(
      `import { Module } from 'node:module';
       const resolve = Module._resolveFilename;
       Module._resolveFilename = (name, ...rest) => {
         if (name === 'ioredis') throw new Error('Cannot find package');
         return resolve(name, ...rest);
       };
       const counter = metheus.createCounter('c_total', 'C.');
       counter.inc();
       await metheus.loadBackend(MultiProcessRedisBackend, {}).catch(({ code, message }) => print(code + ' ' + message));
       counter.inc();
       print(counter.get());`,
      {},
      false,
    );
    assert.equal(await program.ended(), 0);
    assert.equal(
      program.output(),
      'METHEUS_DEPENDENCY_MISSING Dependency missing: given no package ioredis, expected ' +
        "ioredis, which the Redis backend connects with. Run 'npm install ioredis'.\n2\n",
    );
  });

  it('share their bars, and those of a killed program have failed', async () => {
    const options = optionsFor(server, { flushInterval: 0.05 });
    const bars = (code: string) => `
      import { TqdmPromProxy } from 'metheus/progress';
      const proxy = new TqdmPromProxy({ httpPort: 0 });
      ${code}
    `;
    const worker = bars(`
      const bar = proxy.tqdm(null, { total: 10, desc: 'Job', disable: true });
      bar.update(4);
      await metheus.REGISTRY.collect();
      print('updated');
      await readLine();
      bar.update(6);
      bar.close();
    `);
    const main = startProgram(
      bars(`
        await proxy.start();
        print('serving ' + proxy.url + ';');
        setInterval(() => {}, 1000);
      `),
      options,
    );
    const workers = [startProgram(worker, options), startProgram(worker, options)];
    const url = /serving (.*?);/.exec(await main.printed(';'))![1]!;
    for (const { printed } of workers) await printed('updated');
    const lines = async () => linesOf(await (await fetch(url)).text(), 'bucket="Job"').toSorted();
    const stateLines = (active: number, completed: number, failed: number, finished: number) => [
      `progress_active_bars{bucket="Job"} ${active}`,
      `progress_completed_total{bucket="Job",unit="it"} ${completed}`,
      `progress_failed_bars_total{bucket="Job"} ${failed}`,
      `progress_finished_bars_total{bucket="Job"} ${finished}`,
    ];
    const untilState = async (expected: string[]) => {
      let seen: string[] = [];
      await until(
        expected.join('\n'),
        async () => {
          seen = (await lines()).filter((line) => /_(active|completed_total|failed|finished)/.test(line));
          return JSON.stringify(seen) === JSON.stringify(expected) ? true : undefined;
        },
        20,
      ).catch((error: Error) => assert.fail(`${error.message}, but saw ${seen.join('\n')}`));
    };
    await untilState(stateLines(2, 8, 0, 0));
    workers[0]!.child.kill('SIGKILL');
    await workers[0]!.ended();
    // All heartbeats expire; running programs send the next one at once.
    const key = `${options.keyPrefix}:producers`;
    for (const producer of (await server.call('ZRANGE', key, 0, -1)) as string[]) {
      await server.call('ZINCRBY', key, -60, producer);
    }
    await untilState(stateLines(1, 8, 1, 0));
    workers[1]!.sendLine('continue');
    assert.equal(await workers[1]!.ended(), 0);
    await untilState(stateLines(0, 14, 1, 1));
    await main.stop();
  });
});
