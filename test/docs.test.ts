/**
 * The pages are true: every `ts` block of README.md and `docs/` compiles, prints what the block below it says where
 * there is one without a language, and every relative link leads somewhere.
 *
 * A block marked `ts ignore` is left out: one that must not compile, for instance.
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
    const does = output === undefined ? 'compiles' : 'compiles, and prints what is said';
    it(`${page}:${line} ${does}`, async () => {
      assert.equal(complaints.get(example), undefined);
      if (output === undefined) return;
      // What goes to stderr, bars and warnings, is not shown.
      const { code, stdout, stderr } = await snippets.run(example);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, output);
    });
  }
});

describe('links of the pages', () => {
  for (const [page, markdown] of pages) {
    it(`${page} leads somewhere`, () => {
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
