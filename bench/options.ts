/** What the command line asks for. Whatever is wrong with it is said before anything is measured. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Group } from './case.js';

export const GROUPS: readonly Group[] = [
  'metrics',
  'scrape',
  'progress',
  'file',
  'redis',
  'growth',
  'limits',
];

const PEERS = ['all', 'none'] as const;

/** What is wrong with the command, or missing on the machine: a message is all that there is to say of it. */
export class UsageError extends Error {}

export interface Options {
  /** Each once, in the order in which they were asked for. */
  readonly groups: readonly Group[];
  readonly quick: boolean;
  /** Only the cases that have a target. */
  readonly targets: boolean;
  readonly peers: boolean;
  /** Versions of Node; none: the one that runs. */
  readonly versions: readonly string[];
  readonly json?: string | undefined;
  readonly markdown?: string | undefined;
  readonly svg?: string | undefined;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true, default: [GROUPS.join()] },
        quick: { type: 'boolean', default: false },
        targets: { type: 'boolean', default: false },
        peers: { type: 'string' },
        node: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        markdown: { type: 'string' },
        svg: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError which says what is wrong with them, and what there is */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  const { quick, json, markdown, svg } = values;
  const versions = listOf(values.node);
  const groups = listOf(values.only);
  if (groups.length === 0) throw new UsageError(`--only needs one or more of ${GROUPS.join()}`);
  for (const group of groups) expectOneOf('--only', group, GROUPS);
  for (const version of versions) {
    if (!/^\d+(\.\d+){0,2}$/.test(version))
      throw new UsageError(`--node ${version}: 24 or 24.21.0 are versions`);
  }
  const several = versions.length > 1;
  const peers = values.peers ?? (several ? 'none' : 'all');
  expectOneOf('--peers', peers, PEERS);
  for (const [name, file] of Object.entries({ json, markdown })) expectFolder(`--${name}`, file);
  if (svg !== undefined && (several || !groups.includes('growth'))) {
    throw new UsageError('--svg draws the curves of the group growth, which one version of Node measures');
  }
  return {
    groups: groups as Group[],
    quick,
    targets: values.targets || several,
    peers: peers === 'all',
    versions,
    json,
    markdown,
    svg,
  };
}

/** Lists with commas, and options that are given several times. */
function listOf(given: readonly string[]): string[] {
  const items = given.flatMap((list) => list.split(',')).map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ''))];
}

function expectOneOf(option: string, given: string, known: readonly string[]): void {
  if (!known.includes(given)) throw new UsageError(`${option} ${given}: there are ${known.join(', ')}`);
}

/** Else it would be found out when everything has been measured. */
function expectFolder(option: string, file: string | undefined): void {
  if (file === undefined) return;
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new UsageError(`${option} ${file}: there is no folder ${folder}`);
}
