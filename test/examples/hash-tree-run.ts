/** Runs the hash-tree example as a process, and makes directory trees for it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export const PROGRAM = fileURLToPath(new URL('../../examples/hash-tree/main.js', import.meta.url));

/** Makes a folder that is removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'metheus-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The loopback address at which the program serves: IPv6 where available. */
export async function loopback(): Promise<string> {
  const server = createServer();
  const listens = new Promise<boolean>((resolve) => {
    server.once('listening', () => resolve(true)).once('error', () => resolve(false));
  });
  server.listen(0, '::1');
  const there = await listens;
  server.close();
  return there ? '::1' : '127.0.0.1';
}

export interface RunOptions {
  readonly cwd?: string;
  /** A command to start instead of the program. */
  readonly command?: readonly string[];
}

/** A running program. */
export class Run {
  /** The exit code or signal, and everything written to stdout and stderr. */
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
  readonly #child;
  #stdout = Buffer.alloc(0);
  #stderr = Buffer.alloc(0);
  #heard: () => void = () => {};

  constructor(t: TestContext, args: readonly string[], { cwd, command }: RunOptions = {}) {
    const [file = process.execPath, ...before] = command ?? [process.execPath, PROGRAM];
    const { METHEUS_BACKEND_CLASS: _class, METHEUS_BACKEND_CONFIG: _config, ...env } = process.env;
    const child = spawn(file, [...before, ...args], {
      env,
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child = child;
    child.stdin.on('error', () => {});
    child.stdout.on('data', (chunk: Buffer) => {
      this.#stdout = Buffer.concat([this.#stdout, chunk]);
      this.#heard();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]);
    });
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.#heard();
      return { code, signal, stdout: this.#stdout.toString(), stderr: this.#stderr.toString() };
    });
    t.after(async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Waits for a text on stdout. Throws when the program ends without it. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#stdout.toString());
      if (found !== null) return found[1] ?? found[0];
      const { exitCode, signalCode } = this.#child;
      if (exitCode !== null || signalCode !== null) {
        const { code, stdout, stderr } = await this.ended;
        throw new Error(`It ended with ${code ?? signalCode} and never said ${pattern}:\n${stdout}${stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** The address at which the program serves. */
  url(): Promise<string> {
    return this.says(/^Metrics: (http:\S+\/metrics)\r?\n/m);
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }
}

/** Returns the served values by sample. */
export async function scrape(url: string): Promise<Record<string, number>> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  if (response.status !== 200) throw new Error(`Status ${response.status}`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** Scrapes until `look` accepts the result. The time limit is that of the test. */
export async function scrapeUntil(
  url: string,
  look: (samples: Record<string, number>) => boolean,
): Promise<Record<string, number>> {
  for (;;) {
    const samples = await scrape(url);
    if (look(samples)) return samples;
  }
}
