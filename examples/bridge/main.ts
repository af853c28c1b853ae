/**
 * One target for programs that Prometheus cannot reach: serves their metrics, with the program as a label.
 *
 * `node build/examples/bridge/main.js 9464 mail=http://127.0.0.1:9101/metrics search=http://127.0.0.1:9102/metrics`
 */
import { CollectorRegistry } from 'metheus';
import { startMetricsServer } from 'metheus/http';
import { Bridge } from './bridge.js';

const [port = '', ...targets] = process.argv.slice(2);
const pairs = targets.map((target) => /^([^=]+)=(https?:.+)$/.exec(target));
if (!/^\d+$/.test(port) || pairs.length === 0 || pairs.includes(null)) {
  console.error('Usage: main.js PORT NAME=URL …');
  process.exit(2);
}

const registry = new CollectorRegistry();
registry.register(new Bridge(new Map(pairs.map((pair) => [pair![1]!, pair![2]!]))));
const server = await startMetricsServer({ port: Number(port), registry });
console.log(`Serving ${pairs.length} targets at ${server.url}`);
process.once('SIGTERM', () => void server.close());
process.once('SIGINT', () => void server.close());
