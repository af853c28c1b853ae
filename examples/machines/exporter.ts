/** Counts nothing, and serves what all machines have counted: families included of which it has never heard. */
import { loadBackend } from 'metheus';
import { startMetricsServer } from 'metheus/http';

await loadBackend();
const metrics = await startMetricsServer({ host: '127.0.0.1', port: 0 });
process.send?.(metrics.url);
// Whoever started it ends it by letting go.
process.once('disconnect', () => void metrics.close());
