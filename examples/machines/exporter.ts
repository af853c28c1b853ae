/** Serves the totals of all machines, including families that it does not define, and counts nothing itself. */
import { loadBackend, REGISTRY } from 'metheus';
import { startMetricsServer } from 'metheus/http';
import { TqdmPromProxy } from 'metheus/progress';

await loadBackend();
// The bars of all machines whose proxies have this name.
REGISTRY.register(new TqdmPromProxy({ name: 'orders' }));
const metrics = await startMetricsServer({ host: '127.0.0.1', port: 0 });
process.send?.(metrics.url);
// The parent ends it by disconnecting.
process.once('disconnect', () => void metrics.close());
