/**
 * Makes a release of the working tree: `node scripts/release.mjs VERSION|major|minor|patch [--dry-run]`.
 *
 * Checks that the tree is clean, that the tag is new, that the changelog has entries, and that `npm run check` passes.
 * Then writes the version and the section of the changelog, commits and tags. Pushing and publishing stay manual. With
 * `--dry-run` it checks all but `npm run check`, prints the section, and changes nothing.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const CHANGELOG = 'CHANGELOG.md';
const HEADING = '## Unreleased\n';

const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();

function fail(message) {
  console.error(`release: ${message}`);
  process.exit(1);
}

function readArguments() {
  try {
    return parseArgs({ options: { 'dry-run': { type: 'boolean' } }, allowPositionals: true });
  } catch (error) {
    return fail(error.message);
  }
}

/** Returns the new version. It has to be greater than the current one. */
function nextVersion(wanted, current) {
  const numbers = current.split('.').map(Number);
  const part = ['major', 'minor', 'patch'].indexOf(wanted);
  if (part >= 0) return numbers.map((n, i) => (i < part ? n : i === part ? n + 1 : 0)).join('.');
  if (!/^\d+\.\d+\.\d+$/.test(wanted ?? ''))
    return fail('expected a version such as 1.2.3, or major, minor or patch');
  const given = wanted.split('.').map(Number);
  const first = given.findIndex((n, i) => n !== numbers[i]);
  if (first < 0 || given[first] < numbers[first]) fail(`${wanted} is not greater than ${current}`);
  return wanted;
}

/** Returns the changelog with its unreleased entries under the version, and those entries. */
function releaseChangelog(text, version) {
  const [head, rest] = text.split(HEADING);
  if (rest === undefined) return fail(`${CHANGELOG} has no section '${HEADING.trim()}'`);
  const [entries, ...older] = rest.split(/^(?=## )/m);
  if (!/^- /m.test(entries)) return fail(`${CHANGELOG} has no unreleased entries`);
  const date = new Date().toISOString().slice(0, 10);
  const section = `## ${version} (${date})\n${entries}`;
  return { changelog: [head, HEADING, '\n', section, ...older].join(''), section: section.trim() };
}

const { values, positionals } = readArguments();
const isDryRun = values['dry-run'] === true;
const { version: current } = JSON.parse(readFileSync('package.json', 'utf8'));
const version = nextVersion(positionals[0], current);
const tag = `v${version}`;

if (git('status', '--porcelain') !== '') fail('the working tree has changes that are not committed');
if (git('tag', '--list', tag) !== '') fail(`the tag ${tag} exists`);
const { changelog, section } = releaseChangelog(readFileSync(CHANGELOG, 'utf8'), version);

if (isDryRun) {
  console.log(`release: would commit and tag ${tag}:\n\n${section}`);
} else {
  const { status } = spawnSync('npm', ['run', 'check'], { stdio: 'inherit' });
  if (status !== 0) fail('npm run check failed');
  execFileSync('npm', ['version', version, '--no-git-tag-version', '--ignore-scripts'], { stdio: 'ignore' });
  writeFileSync(CHANGELOG, changelog);
  git('commit', '--all', '--message', `release: ${version}`);
  git('tag', '--annotate', tag, '--cleanup=verbatim', '--message', section);
  console.log(`release: tagged ${tag}. Next: git push --follow-tags && npm publish`);
}
