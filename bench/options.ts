/** Reads the command line. Every mistake is reported before anything is measured. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Group } from './case.js';

export const GROUPS: readonly Group[] = [
  'service',
  'metrics',
  'scrape',
  'progress',
  'file',
  'redis',
  'growth',
  'limits',
];

const PEERS = ['all', 'none'] as const;

/**
 * A mistake on the command line, or something missing on the machine. Its message is printed without a stack.
 */
export class UsageError extends Error {}

export interface Options {
  /** The groups, each once, in the order given. */
  readonly groups: readonly Group[];
  readonly quick: boolean;
  /** Measures only cases that have a target. */
  readonly targets: boolean;
  readonly peers: boolean;
  /** Versions of Node; empty for the running one. */
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

/** @throws UsageError that names the mistake and the possible values */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  const { quick, json, markdown, svg } = values;
  const versions = listOf(values.node);
  const groups = listOf(values.only);
  if (groups.length === 0) throw new UsageError(`--only: expected one or more of ${GROUPS.join()}`);
  for (const group of groups) expectOneOf('--only', group, GROUPS);
  for (const version of versions) {
    if (!/^\d+(\.\d+){0,2}$/.test(version))
      throw new UsageError(`--node ${version}: expected a version such as 24 or 24.21.0`);
  }
  const several = versions.length > 1;
  const peers = values.peers ?? (several ? 'none' : 'all');
  expectOneOf('--peers', peers, PEERS);
  for (const [name, file] of Object.entries({ json, markdown })) expectFolder(`--${name}`, file);
  if (svg !== undefined && (several || !groups.includes('growth'))) {
    throw new UsageError('--svg needs the group growth and a single version of Node');
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

/** Splits lists with commas, and options that are given several times. */
function listOf(given: readonly string[]): string[] {
  const items = given.flatMap((list) => list.split(',')).map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ''))];
}

function expectOneOf(option: string, given: string, known: readonly string[]): void {
  if (!known.includes(given)) throw new UsageError(`${option} ${given}: expected one of ${known.join(', ')}`);
}

/** Checks the folder now, since the file is written after hours of measurement. */
function expectFolder(option: string, file: string | undefined): void {
  if (file === undefined) return;
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new UsageError(`${option} ${file}: the folder ${folder} does not exist`);
}
