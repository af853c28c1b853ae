/** Many processes of one machine: the cost of counting in files, and of a scrape that merges them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import type { Case, Size, Subject } from '../case.js';
import type { PromClient } from '../peers.js';
import { operationWith } from './backend-operations.js';
import { type ClusterClient, checkFleet, type Load, scrapeOurs, scraping } from './fleet.js';
import { atExit, type Fleet, startCluster, startFleet } from './fleet-processes.js';

const MIXED: Load = { counters: 2500, histograms: 250 };
const MANY: Load = { counters: 10_000, histograms: 0 };

/** Makes a directory that is removed when the process ends. */
function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'metheus-bench-'));
  atExit(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function mergedOurs(fleet: Fleet, size: Size): Promise<Subject> {
  const directory = makeDirectory();
  const config = JSON.stringify({ directory });
  await startFleet(fleet, { METHEUS_BACKEND_CLASS: 'file', METHEUS_BACKEND_CONFIG: config });
  await loadBackend(MultiProcessFileBackend, { directory, readOnly: true });
  // The numbers of a killed process are included.
  return scraping(scrapeOurs, (text) => checkFleet(text, fleet.load, fleet.processes), size);
}

export async function mergedBy(client: PromClient, fleet: Fleet, size: Size): Promise<Subject> {
  const registry = new (client as ClusterClient).AggregatorRegistry();
  await startCluster(fleet);
  const left = fleet.kill === true ? fleet.processes - 1 : fleet.processes;
  return scraping(
    async () => Buffer.from(await registry.clusterMetrics()),
    (text) => checkFleet(text, fleet.load, left),
    size,
  );
}

function mergedScrape(name: string, fleet: Fleet, more: Pick<Case, 'target' | 'quick'>): Case {
  return {
    ...more,
    group: 'file',
    name,
    unit: 'ms',
    slow: true,
    ours: (size) => mergedOurs(fleet, size),
    theirs: (client, size) => mergedBy(client, fleet, size),
  };
}

const load = () => loadBackend(MultiProcessFileBackend, { directory: makeDirectory() });

export const CASES: readonly Case[] = [
  ...(['inc', 'gauge.set', 'histogram.observe'] as const).map((operation) => ({
    ...operationWith('file', operation, load),
    target: { maxTimesLimit: 1.3 },
  })),
  mergedScrape(
    'merged scrape, 4 processes × (2,500 counters + 250 histograms)',
    { load: MIXED, processes: 4 },
    { target: { max: 6 } },
  ),
  mergedScrape(
    'merged scrape, 4 processes, one of them killed (peers: without its counts)',
    { load: MIXED, processes: 4, kill: true },
    { target: { result: 'nothing lost' } },
  ),
  mergedScrape(
    'merged scrape, 8 processes × 10,000 counters',
    { load: MANY, processes: 8 },
    { target: { max: 60 }, quick: false },
  ),
];
