/** `scripts/release.mjs`, in a repository of the test. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ROOT } from '../support/snippets.js';

const SCRIPT = join(ROOT, 'scripts', 'release.mjs');
const CHANGELOG =
  '# Changelog\n\n## Unreleased\n\n### Added\n\n- Counters.\n\n## 1.1.0 (2026-01-01)\n\n- First.\n';

/** Makes a repository with version 1.1.0, whose `npm run check` ends with an exit code. */
function makeRepository(t: TestContext, { changelog = CHANGELOG, check = 0 } = {}) {
  const cwd = mkdtempSync(join(tmpdir(), 'metheus-release-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  const git = (...args: string[]) => execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
  const read = (file: string) => readFileSync(join(cwd, file), 'utf8');
  const scripts = { check: `node -e "process.exit(${check})"` };
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'released', version: '1.1.0', scripts }));
  writeFileSync(join(cwd, 'CHANGELOG.md'), changelog);
  git('init', '--quiet');
  git('config', 'user.name', 'Test');
  git('config', 'user.email', 'test@example.com');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
  const release = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
      cwd,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  return { cwd, git, read, release };
}

describe('the release script', () => {
  it('writes the version and the section of the changelog, commits and tags', (t) => {
    const { git, read, release } = makeRepository(t);
    const { status, stdout, stderr } = release('minor');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /tagged v1\.2\.0/);
    assert.equal(JSON.parse(read('package.json')).version, '1.2.0');
    const date = new Date().toISOString().slice(0, 10);
    const heading = `## 1.2.0 (${date})`;
    const changelog = CHANGELOG.replace('## Unreleased\n', `## Unreleased\n\n${heading}\n`);
    assert.equal(read('CHANGELOG.md'), changelog);
    assert.equal(git('log', '-1', '--format=%s'), 'release: 1.2.0');
    assert.equal(
      git('tag', '--list', '--format=%(contents)', 'v1.2.0'),
      `${heading}\n\n### Added\n\n- Counters.`,
    );
    assert.equal(git('status', '--porcelain'), '');
  });

  it('changes nothing in a dry run, and prints the section', (t) => {
    const { git, read, release } = makeRepository(t, { check: 1 });
    const { status, stdout } = release('2.0.0', '--dry-run');
    assert.equal(status, 0);
    assert.match(stdout, /would commit and tag v2\.0\.0:\n\n## 2\.0\.0 \(.*\)\n\n### Added\n\n- Counters\./);
    assert.equal(read('CHANGELOG.md'), CHANGELOG);
    assert.equal(git('tag'), '');
    assert.equal(git('status', '--porcelain'), '');
  });

  it('refuses a tree with changes, a tag that exists, and a version that is not greater', (t) => {
    const { cwd, git, release } = makeRepository(t);
    git('tag', 'v1.1.1');
    assert.match(release('patch').stderr, /the tag v1\.1\.1 exists/);
    assert.match(release('1.0.9').stderr, /1\.0\.9 is not greater than 1\.1\.0/);
    assert.match(release('1.1.0').stderr, /1\.1\.0 is not greater than 1\.1\.0/);
    assert.match(release('next').stderr, /expected a version such as 1\.2\.3/);
    writeFileSync(join(cwd, 'new.txt'), '');
    const { status, stderr } = release('minor');
    assert.equal(status, 1);
    assert.match(stderr, /changes that are not committed/);
  });

  it('refuses an empty section, and a tree that does not pass the checks', (t) => {
    const empty = makeRepository(t, { changelog: '# Changelog\n\n## Unreleased\n\n## 1.1.0\n\n- First.\n' });
    assert.match(empty.release('minor').stderr, /no unreleased entries/);
    const failing = makeRepository(t, { check: 1 });
    assert.match(failing.release('minor').stderr, /npm run check failed/);
    assert.equal(failing.git('tag'), '');
    assert.equal(failing.git('status', '--porcelain'), '');
  });
});
