/** A cluster: one worker is forked before there is a metric, and one after. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createCounter, generateMetrics, loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';

const directory = process.argv[2]!;
const value = async () => Number(/^forked_total (\d+)$/m.exec(await generateMetrics())?.[1]);

async function work(): Promise<void> {
  const counter = createCounter('forked_total', 'Counts.');
  counter.inc(cluster.worker!.id === 1 ? 10 : 100);
  await loadBackend(MultiProcessFileBackend, { directory });
  process.send!('counted');
  await once(process, 'message');
  process.send!(await value());
  process.disconnect();
}

async function lead(): Promise<void> {
  const early = cluster.fork();
  await once(early, 'message');
  const counter = createCounter('forked_total', 'Counts.');
  await loadBackend(MultiProcessFileBackend, { directory });
  counter.inc();
  const late = cluster.fork();
  await once(late, 'message');
  const primary = await value();
  late.send('tell');
  const [worker] = await once(late, 'message');
  early.send('tell');
  await Promise.all([once(early, 'exit'), once(late, 'exit')]);
  process.send!({ primary, worker });
  process.disconnect();
}

await (cluster.isPrimary ? lead() : work());
