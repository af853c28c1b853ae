/** The metrics of a proxy, from its first bar to after its end. */

import './controlled-clock.js';

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';
import { requireTool } from '../support/tools.js';
import { promtoolCheck } from '../support/validators.js';
import { stopClocks } from './controlled-clock.js';
import { FakeFile } from './fakes.js';
import { bucketOf, COUNTED, samples, scrape, serve } from './served-proxy.js';

const EMPTY = `\
# HELP progress_completed_total Units of work done by all bars.
# TYPE progress_completed_total counter
# HELP progress_expected Units of work expected of all bars with a known total.
# TYPE progress_expected gauge
# HELP progress_running_completed Units of work done by the running bars with a known total.
# TYPE progress_running_completed gauge
# HELP progress_running_expected Units of work expected of the running bars with a known total.
# TYPE progress_running_expected gauge
# HELP progress_active_bars Bars that are running.
# TYPE progress_active_bars gauge
# HELP progress_finished_bars_total Bars that came to their end.
# TYPE progress_finished_bars_total counter
# HELP progress_incomplete_bars_total Bars that were closed before they reached their total.
# TYPE progress_incomplete_bars_total counter
# HELP progress_failed_bars_total Bars that were closed as failed or whose process is gone.
# TYPE progress_failed_bars_total counter
# HELP progress_rate_per_second Units of work per second of all running bars.
# TYPE progress_rate_per_second gauge
# HELP progress_eta_seconds Estimated seconds until the last running bar is done.
# TYPE progress_eta_seconds gauge
# HELP progress_last_update_timestamp_seconds Unix time of the newest update of a bar.
# TYPE progress_last_update_timestamp_seconds gauge
`;

const FEW_BARS = `\
# HELP progress_completed_total Units of work done by all bars.
# TYPE progress_completed_total counter
progress_completed_total{bucket="Load",unit="B"} 105
progress_completed_total{bucket="Load",unit="it"} 7.5
progress_completed_total{bucket="default",unit="it"} 3
# HELP progress_expected Units of work expected of all bars with a known total.
# TYPE progress_expected gauge
progress_expected{bucket="Load",unit="B"} 150
progress_expected{bucket="default",unit="it"} 3
# HELP progress_running_completed Units of work done by the running bars with a known total.
# TYPE progress_running_completed gauge
progress_running_completed{bucket="Load",unit="B"} 55
# HELP progress_running_expected Units of work expected of the running bars with a known total.
# TYPE progress_running_expected gauge
progress_running_expected{bucket="Load",unit="B"} 100
# HELP progress_active_bars Bars that are running.
# TYPE progress_active_bars gauge
progress_active_bars{bucket="Load"} 1
progress_active_bars{bucket="default"} 0
# HELP progress_finished_bars_total Bars that came to their end.
# TYPE progress_finished_bars_total counter
progress_finished_bars_total{bucket="Load"} 1
progress_finished_bars_total{bucket="default"} 1
# HELP progress_incomplete_bars_total Bars that were closed before they reached their total.
# TYPE progress_incomplete_bars_total counter
progress_incomplete_bars_total{bucket="Load"} 0
progress_incomplete_bars_total{bucket="default"} 0
# HELP progress_failed_bars_total Bars that were closed as failed or whose process is gone.
# TYPE progress_failed_bars_total counter
progress_failed_bars_total{bucket="Load"} 1
progress_failed_bars_total{bucket="default"} 0
# HELP progress_rate_per_second Units of work per second of all running bars.
# TYPE progress_rate_per_second gauge
progress_rate_per_second{bucket="Load",unit="B"} 25
progress_rate_per_second{bucket="Load",unit="it"} 0
progress_rate_per_second{bucket="default",unit="it"} 0
# HELP progress_eta_seconds Estimated seconds until the last running bar is done.
# TYPE progress_eta_seconds gauge
progress_eta_seconds{bucket="Load"} 3
progress_eta_seconds{bucket="default"} 0
# HELP progress_last_update_timestamp_seconds Unix time of the newest update of a bar.
# TYPE progress_last_update_timestamp_seconds gauge
progress_last_update_timestamp_seconds{bucket="Load"} 1700000000.5
progress_last_update_timestamp_seconds{bucket="default"} 1700000000.5
`;

describe('the metrics of a proxy', () => {
  it('are its bars by bucket and unit, to the last byte', async (t) => {
    const pass = stopClocks(t);
    const proxy = await serve(t);
    const running = proxy.tqdm(null, { desc: 'Load', unit: 'B', total: 100, disable: true, smoothing: 0 });
    pass(1);
    running.update(25);
    const done = proxy.tqdm(null, { desc: 'Load', unit: 'B', total: 50, initial: 10, disable: true });
    done.update(40);
    done.close();
    running.update(30);
    const broken = proxy.tqdm(null, { desc: 'Load', disable: true });
    broken.update(7.5);
    broken.fail(new Error('no more'));
    for (const _ of proxy.tqdm(['a', 'b', 'c'], { disable: true }));
    assert.equal(await scrape(proxy), FEW_BARS);
    running.close();
  });

  it('are families without series before the first bar', async (t) => {
    assert.equal(await scrape(await serve(t)), EMPTY);
  });

  it('are free of lint for any name of a bucket', { skip: requireTool('promtool') }, async (t) => {
    const proxy = await serve(t);
    for (const desc of ['My first bar', 'Größe 🚀', '"quoted" \\ and\nbroken', '\ud800', '{a="b"} 1', '']) {
      using bar = proxy.tqdm(null, { ...COUNTED, desc, total: 10, unit: desc === '' ? 'it' : desc });
      bar.update(3);
    }
    assert.deepEqual(await promtoolCheck(await scrape(proxy)), { exitCode: 0, output: '' });
  });

  it('are served beside those of the registry', async (t) => {
    const registry = new CollectorRegistry({ prefix: 'app' });
    const proxy = await serve(t, { registry });
    createCounter('jobs_total', 'Jobs.', { registry }).inc(2);
    proxy.tqdm(null, { ...COUNTED, desc: 'jobs' }).update(2);
    const served = samples(await scrape(proxy));
    assert.equal(served.app_jobs_total, 2);
    // The prefix applies to the registry only; the names of bars are the same for every dashboard.
    assert.equal(served['progress_completed_total{bucket="jobs",unit="it"}'], 2);
  });

  it('are left out where the registry has a metric of the same name', async (t) => {
    const registry = new CollectorRegistry();
    const proxy = await serve(t, { registry });
    createCounter('progress_completed_total', 'Mine.', { registry }).inc(5);
    proxy.tqdm(null, { ...COUNTED, desc: 'bar' }).update();
    const text = await scrape(proxy);
    assert.equal(text.match(/^# TYPE progress_completed_total /gm)?.length, 1);
    assert.equal(samples(text).progress_completed_total, 5);
    assert.equal(bucketOf(text, 'bar').active_bars, 1);
  });
});

describe('bars of a proxy', () => {
  it('count from their start, before start(), between two and after stop()', async (t) => {
    const proxy = new TqdmPromProxy({
      httpHost: '127.0.0.1',
      httpPort: 0,
      registry: new CollectorRegistry(),
    });
    t.after(() => proxy.stop());
    const bar = proxy.tqdm(null, { ...COUNTED, desc: 'long', total: 100 });
    bar.update(10);
    await proxy.start();
    assert.equal(bucketOf(await scrape(proxy), 'long')['completed_total it'], 10);
    bar.update(10);
    await proxy.stop();
    bar.update(10);
    proxy.tqdm(null, { ...COUNTED, desc: 'long' }).update(5);
    await proxy.start();
    bar.update(10);
    const numbers = bucketOf(await scrape(proxy), 'long');
    assert.equal(numbers['completed_total it'], 45);
    assert.equal(numbers.active_bars, 2);
  });

  it('are active until they finish or fail', async (t) => {
    const proxy = await serve(t);
    const bars = (bucket: string) => scrape(proxy).then((text) => bucketOf(text, bucket));
    const ended = (
      bucket: string,
      completed: number,
      expected: number,
      outcome: 'finished' | 'incomplete' | 'failed',
    ) =>
      bars(bucket).then((numbers) => {
        assert.equal(numbers['completed_total it'], completed, bucket);
        assert.equal(numbers['expected it'], expected, bucket);
        assert.equal(numbers.active_bars, 0, bucket);
        assert.equal(numbers.finished_bars_total, outcome === 'finished' ? 1 : 0, bucket);
        assert.equal(numbers.incomplete_bars_total, outcome === 'incomplete' ? 1 : 0, bucket);
        assert.equal(numbers.failed_bars_total, outcome === 'failed' ? 1 : 0, bucket);
      });
    const over = (desc: string) => proxy.tqdm([1, 2, 3], { ...COUNTED, desc });

    for (const item of over('end')) if (item === 2) assert.equal((await bars('end')).active_bars, 1);
    await ended('end', 3, 3, 'finished');

    for (const item of over('break')) if (item === 2) break;
    await ended('break', 1, 3, 'incomplete');

    (() => {
      for (const item of over('return')) if (item === 3) return;
    })();
    await ended('return', 2, 3, 'incomplete');

    // A loop cannot detect why it is left: an error of its body has the effect of a break.
    assert.throws(() => {
      for (const item of over('throw')) if (item === 2) throw new Error('body');
    }, /body/);
    await ended('throw', 1, 3, 'incomplete');

    function* source() {
      yield 1;
      throw new Error('source');
    }
    assert.throws(() => {
      for (const _ of proxy.tqdm(source(), { ...COUNTED, desc: 'source', total: 3 }));
    }, /source/);
    await ended('source', 1, 3, 'failed');

    await assert.rejects(async () => {
      for await (const _ of proxy.tqdm(asynchronous(source()), { ...COUNTED, desc: 'async', total: 3 }));
    }, /source/);
    await ended('async', 1, 3, 'failed');

    {
      using bar = proxy.tqdm(null, { ...COUNTED, desc: 'using', total: 3 });
      bar.update(2);
    }
    await ended('using', 2, 3, 'incomplete');

    proxy.tqdm(null, { ...COUNTED, desc: 'fail', total: 3 }).fail(new Error('mine'));
    await ended('fail', 0, 3, 'failed');

    for (const _ of proxy.trange(0, 10, 2, { ...COUNTED, desc: 'range' }));
    await ended('range', 5, 5, 'finished');
  });

  it('of one bucket add up, and their counters only grow', async (t) => {
    const proxy = await serve(t);
    const names = ['completed_total it', 'finished_bars_total', 'incomplete_bars_total', 'failed_bars_total'];
    let before = names.map(() => 0);
    for (let round = 1; round <= 20; round++) {
      const one = proxy.tqdm(null, { ...COUNTED, desc: 'many', total: 4 });
      const other = proxy.tqdm(null, { ...COUNTED, desc: 'many', total: 4 });
      one.update(4);
      other.update(2);
      // Negative amounts move the bar on the screen back; the published count stays.
      other.update(-2);
      one.close();
      if (round % 2 === 0) other.fail();
      else other.close();
      const numbers = bucketOf(await scrape(proxy), 'many');
      const now = names.map((name) => numbers[name]!);
      assert.ok(now.every((number, i) => number >= before[i]!));
      assert.deepEqual(now, [6 * round, round, Math.ceil(round / 2), Math.floor(round / 2)]);
      before = now;
    }
  });

  it('may change their total while they run', async (t) => {
    const proxy = await serve(t);
    const bar = proxy.tqdm(null, { ...COUNTED, desc: 'growing', total: 10 });
    const expected = async () => bucketOf(await scrape(proxy), 'growing')['expected it'];
    assert.equal(await expected(), 10);
    bar.total = 25;
    assert.equal(await expected(), 25);
    bar.total = null;
    assert.equal(await expected(), undefined);
    bar.total = 5;
    bar.close();
    assert.equal(await expected(), 5);
  });

  it('count when nothing is drawn: disabled, on a broken terminal, or closed', async (t) => {
    const proxy = await serve(t);
    const broken = {
      isTTY: true,
      write() {
        throw new Error('EPIPE');
      },
    };
    const gone = Object.assign(new FakeFile(), { destroyed: true });
    const bars = [
      proxy.tqdm(null, { desc: 'unseen', disable: true }),
      proxy.tqdm(null, { desc: 'unseen', disable: null, file: new FakeFile(false) }),
      proxy.tqdm(null, { desc: 'unseen', file: broken, mininterval: 0 }),
      proxy.tqdm(null, { desc: 'unseen', file: gone, mininterval: 0 }),
    ];
    for (const bar of bars) for (let i = 0; i < 10; i++) bar.update();
    assert.equal(bucketOf(await scrape(proxy), 'unseen')['completed_total it'], 40);
    for (const bar of bars) bar.close();
    bars[0]!.update(2);
    const numbers = bucketOf(await scrape(proxy), 'unseen');
    assert.equal(numbers['completed_total it'], 42);
    assert.equal(numbers.finished_bars_total, 4);
  });
});

describe('several proxies', () => {
  it('do not mix, even with the same registry', async (t) => {
    const registry = new CollectorRegistry();
    const one = await serve(t, { registry });
    const other = await serve(t, { registry });
    assert.notEqual(one.name, other.name);
    one.tqdm(null, { ...COUNTED, desc: 'same' }).update(1);
    other.tqdm(null, { ...COUNTED, desc: 'same' }).update(2);
    assert.equal(bucketOf(await scrape(one), 'same')['completed_total it'], 1);
    assert.equal(bucketOf(await scrape(other), 'same')['completed_total it'], 2);
  });

  it('do not mix without names, and have the same names in each run', () => {
    const print = [
      "import { TqdmPromProxy } from 'metheus/progress';",
      'const [one, other] = [new TqdmPromProxy(), new TqdmPromProxy()];',
      "one.tqdm({ total: 1, disable: true, desc: 'a' });",
      'const values = (families) => families.map(({ values }) => values.join()).join();',
      'console.log(one.name, other.name, values(await one.collect()) !== values(await other.collect()));',
    ];
    const run = () =>
      execFileSync(process.execPath, ['--input-type=module', '-e', print.join('\n')], { encoding: 'utf8' });
    assert.equal(run(), 'progress progress-2 true\n');
    assert.equal(run(), 'progress progress-2 true\n');
  });

  it('are merged when they share a name', async (t) => {
    const served = await serve(t, { name: 'shared' });
    const silent = new TqdmPromProxy({ name: 'shared' });
    served.tqdm(null, { ...COUNTED, desc: 'same' }).update(1);
    silent.tqdm(null, { ...COUNTED, desc: 'same' }).update(2);
    const numbers = bucketOf(await scrape(served), 'same');
    assert.equal(numbers['completed_total it'], 3);
    assert.equal(numbers.active_bars, 2);
  });
});

async function* asynchronous<T>(source: Iterable<T>): AsyncGenerator<T> {
  yield* source;
}
