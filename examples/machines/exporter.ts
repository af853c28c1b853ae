/** Serves the totals of all machines, including families that it does not define, and counts nothing itself. */
import { loadBackend } from 'metheus';
import { startMetricsServer } from 'metheus/http';

await loadBackend();
const metrics = await startMetricsServer({ host: '127.0.0.1', port: 0 });
process.send?.(metrics.url);
// The parent ends it by disconnecting.
process.once('disconnect', () => void metrics.close());
