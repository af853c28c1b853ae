/**
 * The bridge example: the metrics of other programs in one scrape, checked by other parsers, also while one
 * program is away.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  createInfo,
  createStateSet,
  createSummary,
  seriesOf,
} from 'metheus';
import { startMetricsServer } from 'metheus/http';
import { parseMetrics } from 'metheus/parse';
import { get } from '../support/http.js';
import { freePort, startProcess, until } from '../support/processes.js';
import { requireTool } from '../support/tools.js';
import { PythonParser, promtoolCheck } from '../support/validators.js';

const PROGRAM = fileURLToPath(new URL('../../examples/bridge/main.js', import.meta.url));
const OPENMETRICS = { headers: { accept: 'application/openmetrics-text;version=1.0.0' } };

/** A program with metrics of every type. */
async function startTarget(t: TestContext, jobs: number, buckets: number[]): Promise<string> {
  const registry = new CollectorRegistry();
  createCounter('jobs_total', 'Jobs.', { registry, requiredLabels: ['target'] })
    .labels({ target: 'a "queue"' })
    .inc(jobs, { trace_id: 'x1' });
  createGauge('depth', 'Depth.', { registry }).set(-0.5);
  createHistogram('wait_seconds', 'Wait.', { registry, buckets, unit: 'seconds' }).observe(0.3);
  createSummary('size_bytes', 'Size.', { registry, quantiles: [0.5, 1], requiredLabels: ['kind'] })
    .labels({ kind: 'x' })
    .observe(4);
  createInfo('build', 'Build.', { registry, requiredLabels: ['version'] }).info({ version: '1' });
  createStateSet('door', 'Door.', { registry, states: ['open', 'shut'] }).set('open');
  createGauge('a.b', 'Dots.', { registry, utf8Names: true }).set(7);
  const server = await startMetricsServer({ port: 0, registry });
  t.after(() => server.close());
  return server.url;
}

/** A program whose answer no parser accepts. */
async function startBroken(t: TestContext): Promise<string> {
  const server = createServer((_, response) => response.end('jobs_total{ 1\n')).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('the bridge example', () => {
  it('serves the metrics of its targets, labelled by target', async (t) => {
    const targets = {
      mail: await startTarget(t, 3, [0.1, 1]),
      search: await startTarget(t, 4, [0.1, 1]),
      odd: await startTarget(t, 5, [0.2, 1]),
      broken: await startBroken(t),
      away: `http://127.0.0.1:${await freePort()}/metrics`,
    };
    const port = await freePort();
    const pairs = Object.entries(targets).map(([name, url]) => `${name}=${url}`);
    const program = startProcess(process.execPath, [PROGRAM, String(port), ...pairs]);
    t.after(() => program.stop());
    const url = await until('the bridge', async () => /http:\S+/.exec(program.output())?.[0]);

    const text = (await get(url)).body.toString();
    const lines = text.split('\n');
    for (const line of [
      'jobs_total{target="mail",exported_target="a \\"queue\\""} 3',
      'jobs_total{target="search",exported_target="a \\"queue\\""} 4',
      'depth{target="odd"} -0.5',
      'wait_seconds_bucket{target="mail",le="1"} 1',
      'size_bytes_sum{target="search",kind="x"} 4',
      'build_info{target="mail",version="1"} 1',
      'door{target="mail",door="open"} 1',
      'a_b{target="mail"} 7',
    ]) {
      assert.ok(lines.includes(line), `${line} in ${text}`);
    }
    assert.ok(!lines.some((line) => line.startsWith('wait_seconds_sum{target="odd"')));

    const again = await get(url, OPENMETRICS);
    const read = parseMetrics(again.body.toString());
    assert.match(again.body.toString(), /^jobs_total\{target="mail",.*\} 3 # \{trace_id="x1"\} 3 /m);
    const about = (name: string) => {
      const family = read.find((one) => one.family.name === name)!;
      return Object.fromEntries(
        Array.from(seriesOf(family), ({ labels, values }) => [labels.target, values[0]]),
      );
    };
    assert.deepEqual(about('bridge_target_up'), { mail: 1, search: 1, odd: 1, broken: 0, away: 0 });
    const leftOut = about('bridge_left_out_families');
    assert.deepEqual(leftOut, { mail: 0, search: 0, odd: 1, broken: 0, away: 0 });
    assert.match(program.output(), /broken at \S+: Invalid exposition: .* on line 1/);

    if (requireTool('promtool') === false) {
      const { exitCode, output } = await promtoolCheck(text);
      assert.ok(exitCode === 0 || exitCode === 3, output);
    }
    if (requireTool('python3 with prometheus_client') === false) {
      const parser = new PythonParser('openmetrics');
      try {
        assert.ok((await parser.parse(again.body.toString())).length > 8);
      } finally {
        await parser.stop();
      }
    }
  });

  it('prints its usage', () => {
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, '9464'], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [2, 'Usage: main.js PORT NAME=URL …\n']);
  });
});
