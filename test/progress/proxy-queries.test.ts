/** The queries of the guide, in a Prometheus server that scrapes two runs of a job. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { CollectorRegistry } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';
import { until } from '../support/processes.js';
import { type PrometheusServer, startPrometheus } from '../support/prometheus-server.js';
import { requireTool } from '../support/tools.js';
import { COUNTED } from './served-proxy.js';

/** Returns the query for a question in the table of the guide. */
function documentedQuery(question: string): string {
  const guide = readFileSync('docs/guides/progress-metrics.md', 'utf8');
  const row = guide.split('\n').find((line) => line.startsWith(`| ${question} |`));
  return /`(.*)`/.exec(row!)![1]!;
}

describe('queries of the guide', { skip: requireTool('prometheus') }, () => {
  const proxy = new TqdmPromProxy({
    httpHost: '127.0.0.1',
    httpPort: 0,
    registry: new CollectorRegistry(),
    name: 'queries',
  });
  let prometheus: PrometheusServer;
  before(async () => {
    await proxy.start();
    prometheus = await startPrometheus(new URL(proxy.url!).host);
  });
  after(async () => {
    await prometheus?.stop();
    await proxy.stop();
  });

  /** Waits until the query has this result by bucket. */
  async function yields(query: string, expected: Record<string, number>): Promise<void> {
    let found = {};
    const isEqual = async () => {
      const series = await prometheus.query(query);
      found = Object.fromEntries(series.map(({ labels, value }) => [labels.bucket, value]));
      return JSON.stringify(found) === JSON.stringify(expected) ? true : undefined;
    };
    await until(query, isEqual).catch(() => {});
    assert.deepEqual(found, expected, query);
  }

  it('are correct in the first run and in the second', async () => {
    const percent = documentedQuery('percent done');
    const failed = documentedQuery('percent of bars that failed');
    const incomplete = documentedQuery('bars that were left early in the last hour');
    for (let run = 1; run <= 2; run += 1) {
      const bar = proxy.tqdm({ ...COUNTED, desc: 'Job', total: 10 });
      await yields(percent, { Job: 0 });
      bar.update(5);
      await yields(percent, { Job: 50 });
      bar.update(5);
      await yields(percent, { Job: 100 });
      bar.close();
      // There is no percentage without a running bar.
      await yields(percent, {});
      await yields('progress_finished_bars_total', { Job: run });
      await yields(failed, { Job: 0 });
    }
    const left = proxy.tqdm({ ...COUNTED, desc: 'Job', total: 10 });
    left.update(5);
    left.close();
    await yields('progress_incomplete_bars_total', { Job: 1 });
    await until('the increase', async () => {
      const [series] = await prometheus.query(incomplete);
      return series !== undefined && series.value > 0 ? true : undefined;
    });
    proxy.tqdm({ ...COUNTED, desc: 'Job', total: 10 }).fail();
    await yields(failed, { Job: 25 });
  });

  it('return no result for bars whose total is unknown', async () => {
    const bar = proxy.tqdm({ ...COUNTED, desc: 'Stream' });
    bar.update(5);
    await yields('progress_completed_total{bucket="Stream"}', { Stream: 5 });
    for (const name of ['progress_expected', 'progress_eta_seconds', 'progress_running_expected']) {
      await yields(`${name}{bucket="Stream"}`, {});
    }
    await yields(documentedQuery('percent done'), {});
    bar.close();
  });
});
