/**
 * `npm run bench -- [--only metrics,scrape,progress,file,redis] [--quick] [--json FILE] [--markdown FILE]`
 *
 * What each line shows, and how it can mislead: `bench/README.md`.
 */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem, type } from 'node:os';
import { parseArgs } from 'node:util';
import type { Case, Group, Size } from './case.js';
import { hasRedisServer } from './cases/redis-server.js';
import { CASES } from './cases.js';
import { installPeers } from './peers.js';
import { type Result, run } from './run.js';
import { asMarkdown, asText, tableOf } from './table.js';

const GROUPS: readonly Group[] = ['metrics', 'scrape', 'progress', 'file', 'redis'];

const { values: given } = parseArgs({
  options: {
    only: { type: 'string', default: GROUPS.join() },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    markdown: { type: 'string' },
  },
});

const groups = given.only.split(',');
const unknown = groups.find((group) => !GROUPS.includes(group as Group));
if (unknown !== undefined) throw new Error(`--only ${unknown}: there are ${GROUPS.join(', ')}`);

if (groups.includes('redis') && !hasRedisServer()) {
  console.error('redis is left out: there is no redis-server.');
  groups.splice(groups.indexOf('redis'), 1);
}

const chosen = CASES.filter(({ group }) => groups.includes(group));
const limits = CASES.filter(({ name }) => chosen.some(({ limitedBy }) => limitedBy === name));
const size: Size = { quick: given.quick };
const others = chosen.some(({ theirs, rivals }) => theirs !== undefined || rivals !== undefined);
const peers = others ? installPeers() : [];

const results = await measure([...limits, ...chosen]);
// Those with rivals have columns of their own.
const table = tableOf(
  chosen.filter(({ rivals }) => rivals === undefined),
  results,
  peers,
);
const contests = chosen.filter(({ rivals }) => rivals !== undefined);
const rivals = [...new Set(contests.flatMap((one) => Object.keys(one.rivals!)))];
const rivalTable = tableOf(contests, results, rivals);
const tables = [table, rivalTable].filter(({ length }) => length > 1);
const limitTable = tableOf(limits, results, []).map((row) => [...row.slice(0, 2), row[3]!]);
const parts = [machine(), ...tables.map(asText), ...(limits.length === 0 ? [] : [asText(limitTable)])];
console.log(parts.join('\n\n'));
if (given.json !== undefined) writeFileSync(given.json, `${JSON.stringify(results, undefined, 2)}\n`);
if (given.markdown !== undefined) writeFileSync(given.markdown, page());

async function measure(cases: readonly Case[]): Promise<Result[]> {
  const measured: Result[] = [];
  for (const one of cases) {
    for (const peer of implementations(one)) {
      const result = await run(one, peer, size).catch((error: Error) => failed(one, peer, error));
      if (result === undefined) continue;
      process.stderr.write(`${one.name}: ${peer} ${result.median.toPrecision(3)} ${one.unit}\n`);
      measured.push(result);
    }
  }
  return measured;
}

/** One that gives a wrong result, or none, has no number. The others are measured all the same. */
function failed({ name }: Case, peer: string, { message }: Error): undefined {
  process.exitCode = 1;
  console.error(`${name}: ${peer} failed: ${/^\w*Error: .*$/m.exec(message)?.[0] ?? message}`);
}

function implementations({ ours, theirs, rivals = {}, limit }: Case): string[] {
  return [
    ...(limit === undefined ? [] : ['limit']),
    ...(ours === undefined ? [] : ['metheus']),
    ...(theirs === undefined ? [] : peers),
    ...Object.keys(rivals),
  ];
}

function machine(): string {
  const processors = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const hardware = `${processors.length} × ${processors[0]?.model.trim()}, ${memory}`;
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, Node.js ${process.versions.node}, V8 ${process.versions.v8}, ${type()} ${process.arch}, ${hardware}`;
}

function page(): string {
  return `# Benchmarks

One run of \`npm run bench\`, written by the command itself: do not edit. What each line shows, and how it can
mislead: [bench/README.md](../bench/README.md).

${machine()}. Medians, and in brackets the best. Other machines differ, and so do other days of the same
one: compare by ratio, within a run.

${tables.map(asMarkdown).join('\n\n')}

The limits: what this machine needs for the least that any implementation has to do.

${asMarkdown(limitTable)}
`;
}
