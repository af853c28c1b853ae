/** Many producers, in processes and threads of their own, and readers that count nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { RedisBackendConfig } from 'metheus/backends/redis';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { linesOf, startProgram } from './programs.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

/** A program that counts in its main thread and in one worker thread. */
const PRODUCER = `
  import { Worker } from 'node:worker_threads';
  const requests = metheus.createCounter('requests_total', 'Requests.', { requiredLabels: ['method', 'route'] });
  const size = metheus.createHistogram('size_bytes', 'Sizes.', { unit: 'bytes', buckets: [1, 10.5, 100] });
  const wait = metheus.createSummary('wait_seconds', 'Waits.', { unit: 'seconds', requiredLabels: ['queue'] });
  requests.labels({ method: 'GET', route: '/' }).inc(2);
  requests.labels({ route: '/', method: 'GET' }).inc();
  size.observe(5); size.observe(0.5); size.observe(1000);
  wait.labels({ queue: '"a\\\\b\\n{}😀:' }).observe(0.25);
  const thread = new Worker(\`
    import('metheus').then(({ createCounter }) => createCounter('requests_total', 'Requests.', {
      requiredLabels: ['method', 'route'],
    }).labels({ method: 'GET', route: '/' }).inc(10));
  \`, { eval: true });
  await new Promise((resolve) => thread.once('exit', resolve));
  await metheus.REGISTRY.collect();
  print('counted');
  await readLine();
`;

/** The lines that readers serve, in the order of the families' text. */
const EXPECTED = (producers: number) => [
  '# HELP requests_total Requests.',
  '# TYPE requests_total counter',
  `requests_total{method="GET",route="/"} ${13 * producers}`,
  '# HELP size_bytes Sizes.',
  '# TYPE size_bytes histogram',
  `size_bytes_bucket{le="1"} ${producers}`,
  `size_bytes_bucket{le="10.5"} ${2 * producers}`,
  `size_bytes_bucket{le="100"} ${2 * producers}`,
  `size_bytes_bucket{le="+Inf"} ${3 * producers}`,
  `size_bytes_sum ${1005.5 * producers}`,
  `size_bytes_count ${3 * producers}`,
  '# HELP wait_seconds Waits.',
  '# TYPE wait_seconds summary',
  `wait_seconds_sum{queue="\\"a\\\\b\\n{}😀:"} ${0.25 * producers}`,
  `wait_seconds_count{queue="\\"a\\\\b\\n{}😀:"} ${producers}`,
];

const READER = `print(await metheus.generateMetrics()); print('END');`;

describe('many producers', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  async function read(options: RedisBackendConfig): Promise<string> {
    const reader = startProgram(READER, options);
    const text = await reader.printed('END');
    assert.equal(await reader.ended(), 0);
    return text.replace('END\n', '');
  }

  const families = (text: string) =>
    linesOf(text)
      .join('\n')
      .split(/\n(?=# HELP)/)
      .toSorted();
  const expected = (producers: number) => families(EXPECTED(producers).join('\n'));

  it('add up for a reader that defines none of their metrics, also after they have ended or were killed', async () => {
    const options = optionsFor(server);
    const producers = [1, 2, 3].map(() => startProgram(PRODUCER, options));
    for (const producer of producers) await producer.printed('counted');
    assert.deepEqual(families(await read(options)), expected(3));
    assert.deepEqual(families(await read(optionsFor(server))), [''], 'another prefix shares nothing');
    producers[0]!.child.kill('SIGKILL');
    producers[1]!.sendLine('end');
    assert.equal(await producers[0]!.ended(), 'SIGKILL');
    assert.equal(await producers[1]!.ended(), 0);
    assert.deepEqual(families(await read(options)), expected(3));
    producers[2]!.sendLine('end');
    assert.equal(await producers[2]!.ended(), 0);
  });

  it('add up for each of them, through the same code as in one process', async () => {
    const options = optionsFor(server);
    const code = `
      const jobs = metheus.createCounter('jobs_total', 'Jobs.', { requiredLabels: ['kind'] });
      jobs.labels({ kind: 'a' }).inc(0.125);
      await metheus.REGISTRY.collect();
      print('counted');
      await readLine();
      print(await metheus.generateMetrics());
    `;
    const producers = [1, 2, 3].map(() => startProgram(code, options));
    for (const producer of producers) await producer.printed('counted');
    for (const producer of producers) producer.sendLine('continue');
    for (const producer of producers) {
      const output = await producer.printed('metheus_backend_up 1');
      assert.deepEqual(linesOf(output, 'jobs_total{'), ['jobs_total{kind="a"} 0.375']);
      assert.equal(await producer.ended(), 0);
    }
  });

  it('get one warning when they define a name differently, and every scrape serves the same definition', async () => {
    const warnings: string[] = [];
    const listener = ({ message }: Error) => void warnings.push(message);
    process.removeAllListeners('warning');
    process.on('warning', listener);
    const options = optionsFor(server);
    const [one, two, reader] = await Promise.all([1, 2, 3].map(() => openBackend(options)));
    const families = [makeFamily({ labelNames: [] }), makeFamily({ labelNames: ['b'] })];
    families[1] = { ...families[1]!, name: families[0]!.name };
    for (const [i, backend] of [one!, two!].entries()) {
      const { page, offset } = backend.reserve({ family: families[i]!, labels: i === 0 ? [] : ['x'] });
      page[offset] = i + 1;
      await backend.flush();
    }
    const own = async (backend: typeof one, wanted: typeof families) =>
      (await backend!.snapshot({ families: wanted, scopes: [''] }))
        .filter(({ family }) => family.name === families[0]!.name)
        .map(rowsOf);
    assert.deepEqual(await own(one, [families[0]!]), [[['', [1]]]]);
    assert.deepEqual(await own(two, [families[1]!]), [[['b=x', [2]]]]);
    const served = await own(reader, []);
    assert.equal(served.length, 1);
    for (let again = 0; again < 5; again++) assert.deepEqual(await own(reader, []), served);
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(
      warnings[0]!,
      /^Two programs define the metric 'family_\d+' differently: .*The first is served\.$/,
    );
    process.off('warning', listener);
    for (const backend of [one, two, reader]) await backend!.close();
  });
});
