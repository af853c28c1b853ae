/** Directories, backends and child processes of the file backend's tests. */
import { type ChildProcess, type Serializable, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FamilyDescriptor, FamilySnapshot } from 'metheus';
import { type FileBackendConfig, MultiProcessFileBackend } from 'metheus/backends/file';
import type { FileBackendParts } from '#metheus/backends/file/backend.js';
import { loadMapping, type Mapping, WrittenMapping } from '#metheus/backends/file/mapping.js';
import { rowsOf } from '../contract.js';

/** Where every number of the issue is run; elsewhere smaller ones. */
export const IN_CI = process.env.CI === 'true';

/** Anything that takes cleaning up when a test is over. */
export interface Test {
  after(clean: () => unknown): void;
}

const cleanings = new WeakMap<Test, (() => unknown)[]>();

/** Has something done when the test is over: what was made last goes first. */
export function atEnd(t: Test, clean: () => unknown): void {
  const known = cleanings.get(t);
  if (known !== undefined) {
    known.push(clean);
    return;
  }
  const all = [clean];
  cleanings.set(t, all);
  t.after(async () => {
    for (const one of all.toReversed()) await one();
  });
}

/** An empty directory, removed when the test is over. */
export function makeDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'metheus-files-'));
  atEnd(t, () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let mapped: Mapping | undefined;
let written: Mapping | undefined;

/** Both ways to write files, in one process. */
export const MAPPINGS: readonly (readonly [name: string, get: () => Mapping])[] = [
  [
    'koffi',
    () => {
      mapped ??= loadMapping();
      return mapped;
    },
  ],
  [
    'without koffi',
    () => {
      written ??= new WrittenMapping();
      return written;
    },
  ],
];

/** A backend that is open and belongs to nobody else. */
export async function openBackend(
  t: Test,
  config: FileBackendConfig,
  parts?: FileBackendParts,
): Promise<MultiProcessFileBackend> {
  const backend = new MultiProcessFileBackend(config, parts);
  atEnd(t, () => backend.close());
  await backend.open({ migrate() {} });
  return backend;
}

/** All series of the directory's families of one name, as a stranger sees them who has made none. */
export async function readStranger(
  backend: MultiProcessFileBackend,
  name: string,
): Promise<[string, number[]][]> {
  const snapshots = await backend.snapshot({ families: [], scopes: [''] });
  return snapshots.filter(({ family }) => family.name === name).flatMap(rowsOf);
}

/** The first cell of the only series of a family without labels; undefined when there is none. */
export async function onlyValue(backend: MultiProcessFileBackend, name: string): Promise<number | undefined> {
  return (await readStranger(backend, name))[0]?.[1][0];
}

export async function snapshotOf(
  backend: MultiProcessFileBackend,
  family: FamilyDescriptor,
): Promise<FamilySnapshot> {
  return (await backend.snapshot({ families: [family], scopes: [] }))[0]!;
}

/** The samples of an exposition, by name and labels. */
export function samplesOf(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** Files of writers, without the archive. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.metheus') && name !== 'archive.metheus');
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
  readonly uid?: number;
  readonly execArgv?: readonly string[];
  /** Runs Node by way of this command. */
  readonly wrapper?: readonly string[];
}

/** Hides koffi from a process: an `execArgv`. */
export const WITHOUT_KOFFI = [
  '--import',
  `data:text/javascript,${encodeURIComponent(`
    import Module from 'node:module';
    const resolve = Module._resolveFilename;
    Module._resolveFilename = (name, ...rest) => {
      if (name === 'koffi') throw new Error('koffi is hidden');
      return resolve(name, ...rest);
    };`)}`,
];

/** The module in `programs/` that children run. */
export const program = (name: string): URL => new URL(`./programs/${name}.js`, import.meta.url);

/** A child process that answers. Ended with the test if it has not ended before. */
export class Child {
  readonly process: ChildProcess;
  readonly #output: Buffer[] = [];
  readonly exited: Promise<[code: number | null, signal: string | null]>;

  constructor(t: Test, name: string, { env = {}, args = [], uid, ...options }: ChildOptions = {}) {
    const { execArgv = [], wrapper = [] } = options;
    const [command, ...rest] = [
      ...wrapper,
      process.execPath,
      ...execArgv,
      fileURLToPath(program(name)),
      ...args,
    ];
    this.process = spawn(command!, rest, {
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    this.process.stdout!.on('data', (chunk: Buffer) => this.#output.push(chunk));
    this.process.stderr!.on('data', (chunk: Buffer) => this.#output.push(chunk));
    this.exited = once(this.process, 'close') as Promise<[number | null, string | null]>;
    atEnd(t, () => this.kill());
  }

  get output(): string {
    return Buffer.concat(this.#output).toString();
  }

  /** Waits for its next message. */
  async hear<T>(): Promise<T> {
    const ended = this.exited.then(() => {
      throw new Error(`The child process ended without an answer: ${this.output}`);
    });
    const heard = once(this.process, 'message');
    ended.catch(() => {});
    const [message] = (await Promise.race([heard, ended])) as [T];
    return message;
  }

  /** Says something, and waits for the answer. */
  async ask<T>(message: Serializable): Promise<T> {
    const answer = this.hear<T>();
    this.process.send(message);
    const given = await answer;
    const { error } = Object(given) as { error?: string };
    if (error !== undefined) throw new Error(`The child process failed: ${error}`);
    return given;
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }
}

/** A child that obeys `programs/controlled-writer.ts`, its backend loaded. */
export async function startObeying(
  t: Test,
  directory: string | undefined,
  options: ChildOptions = {},
): Promise<Child> {
  const child = new Child(t, 'controlled-writer', options);
  await child.hear();
  if (directory !== undefined) await child.ask({ do: 'load', config: { directory } });
  return child;
}

/** What the child would serve. */
export async function scrapeOf(child: Child): Promise<Record<string, number>> {
  return samplesOf(await child.ask<string>({ do: 'scrape' }));
}
