/**
 * One process of a fleet: counts its load, reports it, and lives until its parent has ended. A worker of a
 * cluster counts with the client that its primary measures, any other process with the backend of the
 * environment.
 */
import cluster from 'node:cluster';
import { loadBackend } from 'metheus';
import type { Request } from '../case.js';
import { loadPeer } from '../peers.js';
import { type ClusterClient, countOurs, countTheirs, LOAD, type Load } from './fleet.js';

// The listener keeps the process alive.
process.on('disconnect', () => process.exit());
const load = JSON.parse(process.env[LOAD]!) as Load;
if (cluster.isWorker) {
  // Workers inherit the arguments of their primary.
  const { peer } = JSON.parse(process.argv[2]!) as Request;
  const client = loadPeer(peer) as ClusterClient;
  new client.AggregatorRegistry();
  countTheirs(client, load);
} else {
  const backend = await loadBackend();
  countOurs(load);
  await backend.flush();
}
process.send!('counted');
