/** The page `docs/benchmarks.md`: one full run, and below it the other versions of Node, each written by its own run. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const VERSIONS_HEADING = '## The same on other versions of Node\n';

const HEAD = `# Benchmarks

Written by \`npm run bench\` itself: do not edit. What each line shows, and how it can mislead:
[bench/README.md](../bench/README.md). Medians, and in brackets the best. Other machines differ, and so do other days
of the same one: compare by ratio, within a run.
`;

interface Parts {
  readonly run: string;
  readonly versions: string;
}

/** Replaces all but what is told of other versions. */
export function writeRun(file: string, run: string): void {
  write(file, { run, versions: partsOf(file).versions });
}

/** Replaces what is told of other versions, and nothing else. */
export function writeVersions(file: string, versions: string): void {
  write(file, { run: partsOf(file).run, versions });
}

function partsOf(file: string): Parts {
  if (!existsSync(file)) return { run: '', versions: '' };
  const [run = '', versions = ''] = readFileSync(file, 'utf8').split(VERSIONS_HEADING);
  // Of an older page everything is replaced, its head included.
  return { run: run.startsWith(HEAD) ? run.slice(HEAD.length).trim() : '', versions: versions.trim() };
}

function write(file: string, { run, versions }: Parts): void {
  const parts = [HEAD, run, ...(versions === '' ? [] : [VERSIONS_HEADING, versions])];
  const text = parts.filter((part) => part !== '').map((part) => `${part.trim()}\n`);
  writeFileSync(file, text.join('\n'));
}
