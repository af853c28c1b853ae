/** The vocabulary of `docs/architecture.md` in the names of the source, and the plain form of its comments. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readFiles } from './support/source-tree.js';

/** Words that mean the same as one of the glossary, by that word. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  series: ['tenant'],
  child: ['leaf', 'leaves'],
  cell: ['place'],
  page: ['block', 'blocks', 'sheet'],
  writer: ['producer', 'contributor'],
  backend: ['driver', 'store'],
  snapshot: ['mirror'],
  record: ['part', 'parts'],
  compact: ['fold', 'folding', 'folded'],
  frame: ['picture', 'look', 'drawn', 'shown'],
  row: ['lane'],
  renderer: ['drawer', 'painter'],
  watcher: ['spectator'],
};

/** Names in which such a word keeps another meaning. */
const ALLOWED: readonly string[] = [
  // Native buckets side by side, which are reserved together.
  'Block',
  'BlockAddress',
  'Blocks',
  'CountedBlock',
  'blocks',
  // Strings of packed sums in Redis, see docs/reference/redis-keys.md.
  'sum-blocks',
];

const GLOSSARY_ROW = /^\| (\w+) \| .+ \|$/gm;
const DECLARATION =
  /^\s*(?:export\s+)?(?:declare\s+)?(?:abstract\s+)?(?:class|interface|type|enum)\s+(\w+)/gm;

/** Folders whose comments are checked. */
const FOLDERS = ['src', 'test', 'bench', 'examples'];

const sources = readFiles('src');

function assertNone(found: readonly string[]): void {
  assert.ok(found.length === 0, `${found.length}:\n${found.join('\n')}`);
}

/** Returns the words of an identifier or a file name, in lower case. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.toLowerCase());
}

describe('glossary', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const section = page.split('\n## Vocabulary\n')[1]!.split('\n## ')[0]!;
  const words = [...section.matchAll(GLOSSARY_ROW)]
    .map(([, word]) => word!)
    .filter((word) => word !== 'word');

  it('has each word once', () => {
    assert.equal(new Set(words).size, words.length);
    assert.ok(words.length >= 20);
  });

  it('has every word that synonyms are listed for', () => {
    assert.deepEqual(
      Object.keys(SYNONYMS).filter((word) => !words.includes(word)),
      [],
    );
  });

  it('has no synonyms in the names of classes, interfaces, types and files', () => {
    const instead = new Map<string, string>();
    for (const [word, synonyms] of Object.entries(SYNONYMS)) {
      for (const synonym of synonyms) instead.set(synonym, word);
    }
    const wrong = [...sources].flatMap(([file, code]) => {
      const declared = [...code.matchAll(DECLARATION)].map(([, name]) => name!);
      return [file.replace(/^.*\/|\.ts$/g, ''), ...declared].flatMap((name) => {
        const synonym = wordsOf(name).find((word) => instead.has(word));
        if (synonym === undefined || ALLOWED.includes(name)) return [];
        return [`${file}: ${name} says ${synonym} for ${instead.get(synonym)}`];
      });
    });
    assertNone(wrong);
  });
});

/** Returns the comments of a file, each as its text on one line. */
function commentsOf(code: string): string[] {
  const blocks = [...code.matchAll(/\/\*\*?([\s\S]*?)\*\//g)].map(([, text]) =>
    text!.replace(/^\s*\* ?/gm, '').replace(/```[\s\S]*?```/g, ''),
  );
  const lines = [...code.matchAll(/(?:^[ \t]*\/\/ ?.*\n?)+/gm)].map(([text]) =>
    text.replace(/^[ \t]*\/\/ ?/gm, ''),
  );
  return [...blocks, ...lines].map((text) =>
    text
      .replace(/`[^`]*`/g, '``')
      .replace(/\s+/g, ' ')
      .trim(),
  );
}

/** Forms that read as riddles where a comment could name its subject. */
const OBSCURE: readonly (readonly [what: string, pattern: RegExp])[] = [
  [
    'a sentence that opens with What, Who, Those or That',
    /(?:^|[.!?] |@\w+ \w+ - )(?:What|Who|Those|That)\b/,
  ],
  ['people where code is meant', /\b(?:whoever|nobody|somebody|is told|are told|hears)\b/i],
  ['a limit that is not called MAX or MIN', /\b(?:MOST|LEAST)_/],
];

describe('comments', () => {
  for (const [what, pattern] of OBSCURE) {
    it(`contain no ${what.replace(/^an? /, '')}`, () => {
      const found = FOLDERS.flatMap((folder) =>
        [...readFiles(folder)].flatMap(([file, code]) =>
          commentsOf(code)
            .filter((comment) => pattern.test(comment))
            .map((comment) => `${folder}/${file}: ${comment.slice(0, 100)}`),
        ),
      );
      assertNone(found);
    });
  }

  it('and code contain no limits that are not called MAX or MIN', () => {
    const wrong = FOLDERS.flatMap((folder) =>
      [...readFiles(folder)].flatMap(([file, code]) =>
        [...code.matchAll(/\b(?:MOST|LEAST)_\w+/g)].map(([name]) => `${folder}/${file}: ${name}`),
      ),
    );
    assertNone(wrong);
  });

  it('refer to sections of docs/v8.md that exist', () => {
    const headings = [...readFileSync('docs/v8.md', 'utf8').matchAll(/^## (.+)$/gm)].map(([, heading]) =>
      heading!.toLowerCase(),
    );
    const wrong = FOLDERS.flatMap((folder) =>
      [...readFiles(folder)].flatMap(([file, code]) =>
        commentsOf(code)
          .flatMap((comment) => [...comment.matchAll(/see docs\/v8\.md: ([^.;,)]+)/gi)])
          .filter(([, heading]) => !headings.includes(heading!.trim().toLowerCase()))
          .map(([reference]) => `${folder}/${file}: ${reference}`),
      ),
    );
    assertNone(wrong);
  });
});
