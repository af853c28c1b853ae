/**
 * Pages of the documentation: every `ts` block of README.md and `docs/` compiles and prints the block without
 * a language that follows it, and every relative link has a target.
 *
 *
 * Blocks marked `ts ignore` are left out, such as those that must not compile.
 */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { anchorsOf, type Block, blocksOf, linksOf } from './support/markdown.js';
import { ROOT, Snippets } from './support/snippets.js';

const pages = new Map(
  [
    'README.md',
    ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) =>
      join('docs', name),
    ),
  ]
    .filter((page) => page.endsWith('.md'))
    .sort()
    .map((page) => [page, readFileSync(join(ROOT, page), 'utf8')]),
);
const examples = [...pages]
  .flatMap(([page, markdown]) => blocksOf(page, markdown))
  .filter(({ info }) => info === 'ts' || info === 'typescript');

describe('examples of the pages', { concurrency: availableParallelism() }, () => {
  let snippets: Snippets;
  let complaints: ReadonlyMap<Block | undefined, string>;
  before(async () => {
    snippets = new Snippets(examples);
    complaints = await snippets.compile();
  });
  after(() => snippets.remove());

  it('compile together', () => assert.equal(complaints.get(undefined), undefined));

  for (const example of examples) {
    const { page, line, output } = example;
    const does = output === undefined ? 'compiles' : 'compiles, and prints its output';
    it(`${page}:${line} ${does}`, async () => {
      assert.equal(complaints.get(example), undefined);
      if (output === undefined) return;
      // Bars and warnings go to standard error, which is not compared.
      const { code, stdout, stderr } = await snippets.run(example);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, output);
    });
  }
});

describe('links of the pages', () => {
  for (const [page, markdown] of pages) {
    it(`of ${page} have targets`, () => {
      const lost = linksOf(markdown).filter((link) => !/^[a-z]+:/i.test(link) && !leadsSomewhere(page, link));
      assert.deepEqual(lost, []);
    });
  }
});

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#').map(decodeURIComponent);
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return false;
  if (anchor === undefined || !target.endsWith('.md')) return true;
  return anchorsOf(readFileSync(join(ROOT, target), 'utf8')).has(anchor);
}
