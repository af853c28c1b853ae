/**
 * A job that delivers its metrics when it ends, to each destination that an environment variable names:
 *
 *     PUSHGATEWAY_URL=http://127.0.0.1:9091 REMOTE_WRITE_URL=http://127.0.0.1:9090/api/v1/write \
 *     OTLP_URL=http://127.0.0.1:4318/v1/metrics TEXTFILE=job.prom node build/examples/push/main.js
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createCounter, createGauge, createHistogram } from 'metheus';
import { type Pusher, Pushgateway, startOtlp, startRemoteWrite, writeTextfile } from 'metheus/push';

const { PUSHGATEWAY_URL, REMOTE_WRITE_URL, OTLP_URL, TEXTFILE } = process.env;

const rows = createCounter('copy_rows_total', 'Rows copied.', { requiredLabels: ['table'] });
const seconds = createHistogram('copy_table_duration_seconds', 'Time to copy a table.', { unit: 'seconds' });
const success = createGauge('copy_last_success_timestamp_seconds', 'Time at which the job last succeeded.');

async function copy(table: string, count: number): Promise<void> {
  using _ = seconds.startTimer();
  for (let row = 0; row < count; row += 100) {
    await sleep(1);
    rows.labels({ table }).inc(100);
  }
}

// Storage that expects samples at an interval gets them while the job runs, and the last ones when it is closed.
const pushers: Pusher[] = [];
if (REMOTE_WRITE_URL) {
  const labels = { job: 'copy', instance: 'example' };
  pushers.push(await startRemoteWrite({ url: REMOTE_WRITE_URL, labels, interval: 1 }));
}
if (OTLP_URL)
  pushers.push(await startOtlp({ url: OTLP_URL, resource: { 'service.name': 'copy' }, interval: 1 }));

await Promise.all([copy('users', 1000), copy('orders', 3000)]);
success.setToCurrentTime();

for (const pusher of pushers) await pusher.close();
if (PUSHGATEWAY_URL) await new Pushgateway({ url: PUSHGATEWAY_URL, job: 'copy' }).push();
if (TEXTFILE) await writeTextfile(TEXTFILE);

const used = { PUSHGATEWAY_URL, REMOTE_WRITE_URL, OTLP_URL, TEXTFILE };
const names = Object.entries(used).flatMap(([name, value]) => (value ? [name] : []));
console.log(`Delivered to ${names.join(', ') || `nothing: set ${Object.keys(used).join(', ')}`}`);
