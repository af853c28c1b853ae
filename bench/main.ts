/**
 * The command `npm run bench`. Its options, the meaning of each line, and how it can mislead:
 * `bench/README.md`.
 */
import { writeFileSync } from 'node:fs';
import { hasRedisServer } from './cases/redis-server.js';
import { type Options, readOptions, UsageError } from './options.js';
import { installPeers } from './peers.js';
import { describeMachine } from './report/machine.js';
import { writeRun, writeVersions } from './report/page.js';
import { plot } from './report/plot.js';
import { asMarkdown, asText, pictures, reportOfRun, reportOfVersions } from './report/report.js';
import { hasTarget } from './report/targets.js';
import { type LocatedCase, loadCases } from './runner/catalog.js';
import { measure } from './runner/measure.js';
import { runtimeOf, THIS_RUNTIME } from './runner/runtime.js';

async function bench(options: Options): Promise<void> {
  const { quick, versions, json, markdown, svg } = options;
  const cases = choose(await loadCases(), options);
  const runtimes = versions.length === 0 ? [THIS_RUNTIME] : versions.map(runtimeOf);
  const compares = cases.some(({ theirs, rivals }) => theirs !== undefined || rivals !== undefined);
  const peers = options.peers && compares ? installPeers() : [];
  const size = { quick };
  const results = await measure({ cases, size, peers, withRivals: options.peers, runtimes });
  const run = { cases, results, size, machine: describeMachine(runtimes) };
  const several = runtimes.length > 1;
  const nodes = runtimes.map(({ node }) => node);
  const report = several ? reportOfVersions(run, nodes) : reportOfRun(run);
  console.log(asText(report));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`);
  if (svg !== undefined) plot(svg, cases, results);
  if (markdown === undefined) return;
  if (several) writeVersions(markdown, asMarkdown(report));
  else writeRun(markdown, asMarkdown([...report, ...(svg ? pictures(cases, markdown, svg) : [])]));
}

/** Returns the chosen cases at this size, preceded by the limits that they are compared with. */
function choose(cases: readonly LocatedCase[], { groups, quick, targets }: Options): LocatedCase[] {
  const withRedis = !groups.includes('redis') || hasRedisServer();
  if (!withRedis) console.error('redis is left out: redis-server is not installed.');
  const chosen = groups
    .filter((group) => group !== 'limits' && (group !== 'redis' || withRedis))
    .flatMap((wanted) => cases.filter(({ group }) => group === wanted))
    .filter((one) => (!targets || hasTarget(one)) && !(quick && one.quick === false));
  const needed = new Set(chosen.map(({ limitedBy }) => limitedBy));
  const all = groups.includes('limits') && !targets;
  const limits = cases.filter(({ group, name }) => group === 'limits' && (all || needed.has(name)));
  if (limits.length + chosen.length === 0) {
    throw new UsageError(`no case matches in ${groups.join(', ')}`);
  }
  return [...limits, ...chosen].map((one) =>
    quick && one.quick ? { ...one, name: `${one.name} (quick: ${one.quick})` } : one,
  );
}

try {
  await bench(readOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
