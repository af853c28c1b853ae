/**
 * A job whose progress is published as metrics:
 *
 *     node build/examples/progress/proxy.js
 *     curl 'http://[::1]:3000/metrics'
 *
 * `node build/examples/progress/proxy.js 0 127.0.0.1` serves on any free port, by IPv4. Ctrl-C ends it.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { TqdmPromProxy } from 'metheus/progress';

const [port = '3000', host = '::1'] = process.argv.slice(2);

const proxy = new TqdmPromProxy({
  httpHost: host,
  httpPort: Number(port),
  // Serves after the last bar too, until Ctrl-C.
  keepAlive: true,
  // Bars in the same bucket add up. Here the first word of the description is the bucket.
  bucketFunc: ({ desc }) => desc.split(' ')[0]!,
  properties: ['completed', 'total', 'active', 'finished', 'failed'],
  // my_job_import_completed, my_job_import_total, my_job_import_active …
  metricFunc: (bucket, property) => `my_job_${bucket}_${property}`,
});
await proxy.start();
console.log(`Metrics: ${proxy.url}`);

for (const table of ['users', 'orders', 'items']) {
  for (const _ of proxy.tqdm(200, { desc: `import ${table}`, unit: 'row' })) await sleep(1);
}
using index = proxy.tqdm(null, { desc: 'index', total: 50 });
index.update(20);

await once(process, 'SIGINT');
await proxy.stop();
