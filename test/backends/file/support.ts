/** Directories, backends and child processes of the file backend's tests. */
import { type ChildProcess, type Serializable, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FamilyDescriptor, FamilySnapshot } from 'metheus';
import { type FileBackendConfig, MultiProcessFileBackend } from 'metheus/backends/file';
import type { FileBackendInternals } from '#metheus/backends/file/backend.js';
import { loadMapping, type Mapping, WrittenMapping } from '#metheus/backends/file/mapping.js';
import { rowsOf } from '../contract.js';

/** Whether tests run with their full counts. */
export const IN_CI = process.env.CI === 'true';

/** A test, or anything else that registers clean-up. */
export interface Test {
  after(clean: () => unknown): void;
}

const cleanings = new WeakMap<Test, (() => unknown)[]>();

/** Registers clean-up, which runs in reverse order at the end of the test. */
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

/** Returns an empty directory, which is removed at the end of the test. */
export function makeDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'metheus-files-'));
  atEnd(t, () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let mapped: Mapping | undefined;
let written: Mapping | undefined;

/** The mapping with and without koffi. */
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

/** Returns an open backend that is not in force. */
export async function openBackend(
  t: Test,
  config: FileBackendConfig,
  parts?: FileBackendInternals,
): Promise<MultiProcessFileBackend> {
  const backend = new MultiProcessFileBackend(config, parts);
  atEnd(t, () => backend.close());
  await backend.open({ migrate() {} });
  return backend;
}

/** Returns all series of the families of one name, as a process without such a metric reads them. */
export async function readStranger(
  backend: MultiProcessFileBackend,
  name: string,
): Promise<[string, number[]][]> {
  const snapshots = await backend.snapshot({ families: [], scopes: [''] });
  return snapshots.filter(({ family }) => family.name === name).flatMap(rowsOf);
}

/** Returns the value of a family without labels; undefined if there is none. */
export async function onlyValue(backend: MultiProcessFileBackend, name: string): Promise<number | undefined> {
  return (await readStranger(backend, name))[0]?.[1][0];
}

export async function snapshotOf(
  backend: MultiProcessFileBackend,
  family: FamilyDescriptor,
): Promise<FamilySnapshot> {
  return (await backend.snapshot({ families: [family], scopes: [] }))[0]!;
}

/** Returns the samples of an exposition by name and labels. */
export function samplesOf(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** Returns the names of the files of writers, without the archive. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.metheus') && name !== 'archive.metheus');
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
  readonly uid?: number;
  readonly execArgv?: readonly string[];
  /** A command that runs Node. */
  readonly wrapper?: readonly string[];
}

/** An `execArgv` that hides koffi from a process. */
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

/** Returns the path of a program in `programs/`. */
export const program = (name: string): URL => new URL(`./programs/${name}.js`, import.meta.url);

/** A child process that answers messages. It is killed at the end of the test. */
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

  /** Resolves with its next message. */
  async hear<T>(): Promise<T> {
    const ended = this.exited.then(() => {
      throw new Error(`The child process ended without an answer: ${this.output}`);
    });
    const heard = once(this.process, 'message');
    ended.catch(() => {});
    const [message] = (await Promise.race([heard, ended])) as [T];
    return message;
  }

  /** Sends a message, and resolves with the answer. */
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

/** Starts `programs/controlled-writer.ts` with its backend loaded. */
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

/** Returns the samples that the child would serve. */
export async function scrapeOf(child: Child): Promise<Record<string, number>> {
  return samplesOf(await child.ask<string>({ do: 'scrape' }));
}
