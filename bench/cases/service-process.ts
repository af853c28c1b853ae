/**
 * A service that starts, is scraped, and reports the costs as JSON. A process of its own, since a service is scraped for
 * the first time only once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadPeer } from '../peers.js';
import { countOurs, countTheirs, familiesOf, type Shape } from '../workload/service.js';

/** The order to the process, as JSON in its first argument. */
export interface ServiceOrder {
  readonly shape: Shape;
  /** The name of another client; `metheus` for this package, `file` for this package with files. */
  readonly client: string;
  /** The folder of the published files of this package. */
  readonly dist: string;
}

/** The costs of a service: milliseconds, and bytes. */
export interface ServiceCosts {
  /** Loading the client, and creating and counting all series. */
  readonly setUp: number;
  /** The same without loading the client. */
  readonly create: number;
  readonly first: number;
  /** The median of scrapes that follow each other. */
  readonly warm: number;
  /** The median of scrapes with a pause before each. */
  readonly paused: number;
  /** Memory of all kinds after garbage collection, in bytes for each family. */
  readonly bytes: number;
  /** Number of lines with samples of the families. */
  readonly lines: number;
}

const SCRAPES = 15;
const PAUSED_SCRAPES = 3;
const PAUSE_MS = 200;

const { shape, client, dist } = JSON.parse(process.argv[2]!) as ServiceOrder;
const families = familiesOf(shape);

function usedBytes(): number {
  for (let i = 0; i < 2; i++) global.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const load = (file: string) => import(pathToFileURL(join(dist, file)).href);

/** Loads the client. Returns a function that creates and counts, and then returns the one that scrapes. */
async function start(): Promise<() => () => Promise<string>> {
  if (client !== 'metheus' && client !== 'file') {
    const loaded = loadPeer(client);
    return () => countTheirs(loaded, families);
  }
  const metheus = (await load('index.js')) as typeof import('metheus');
  if (client === 'file') {
    const directory = mkdtempSync(join(tmpdir(), 'metheus-bench-'));
    process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
    const { MultiProcessFileBackend } = await load('backends/file.js');
    await metheus.loadBackend(MultiProcessFileBackend, { directory });
  }
  return () => {
    countOurs(metheus, families);
    return () => metheus.generateMetrics();
  };
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}

const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]!;

let fill!: () => () => Promise<string>;
const loading = await timed(async () => {
  fill = await start();
});
const before = usedBytes();
let scrape!: () => Promise<string>;
const create = await timed(async () => {
  scrape = fill();
});
const bytes = (usedBytes() - before) / families.length;
let text = '';
const first = await timed(async () => {
  text = await scrape();
});
const paused: number[] = [];
for (let i = 0; i < PAUSED_SCRAPES; i++) {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  paused.push(await timed(scrape));
}
const warm: number[] = [];
for (let i = 0; i < SCRAPES; i++) warm.push(await timed(scrape));
const lines = text.split('\n').filter((line) => line.startsWith('family_')).length;
const costs: ServiceCosts = {
  setUp: loading + create,
  create,
  first,
  warm: median(warm),
  paused: median(paused),
  bytes,
  lines,
};
process.stdout.write(JSON.stringify(costs), () => process.exit());
