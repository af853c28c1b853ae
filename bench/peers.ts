/**
 * Other clients to compare with. They are no dependencies of this package: the bench installs them for itself,
 * once, into the build folder.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PEERS: Readonly<Record<string, string>> = {
  'prom-client': '15.1.3',
  '@prometheus-io/client': '0.16.1',
  '@platformatic/prom-client': '1.0.0',
};

/** Progress bars, each with an interface of its own. */
const RIVALS: Readonly<Record<string, string>> = {
  'cli-progress': '3.12.0',
  progress: '2.0.3',
  'ts-tqdm': '0.8.6',
  'node-console-progress-bar-tqdm': '1.0.4',
};
const INSTALLED: Readonly<Record<string, string>> = { ...PEERS, ...RIVALS };

const DIRECTORY = fileURLToPath(new URL('../bench-peers/', import.meta.url));

/** A client, as far as the bench uses it. All peers have this interface. */
export interface PromClient {
  readonly Registry: new () => PromRegistry;
  readonly Counter: new (config: PromConfig) => PromMetric;
  readonly Gauge: new (config: PromConfig) => PromMetric;
  readonly Histogram: new (config: PromConfig) => PromMetric;
  readonly Summary: new (config: PromConfig) => PromMetric;
}

export interface PromRegistry {
  metrics(): Promise<string>;
}

export interface PromConfig {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly buckets?: readonly number[];
  readonly registers: readonly PromRegistry[];
}

export interface PromChild {
  inc(by?: number): void;
  set(value: number): void;
  observe(value: number): void;
}

export interface PromMetric extends PromChild {
  labels(given: Readonly<Record<string, string>>): PromChild;
}

/** Name and version, as people write it. */
export function describePeer(name: string): string {
  const version = INSTALLED[name];
  return version === undefined ? name : `${name} ${version}`;
}

/** Installs what is not there yet, and gives the names of the peers that can be compared with. */
export function installPeers(): string[] {
  mkdirSync(DIRECTORY, { recursive: true });
  const absent = Object.entries(INSTALLED).filter(([name, version]) => installedVersion(name) !== version);
  if (absent.length > 0) {
    const wanted = Object.entries(INSTALLED).map(([name, version]) => `${name}@${version}`);
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
    // A peer may refuse versions of Node on which it works: its check of them is switched off.
    const options = ['--no-save', '--ignore-scripts', '--engine-strict=false', ...quiet];
    try {
      execFileSync('npm', ['install', '--prefix', DIRECTORY, ...options, ...wanted], { stdio: 'pipe' });
    } catch (error) {
      console.error(`Some peers could not be installed: ${String((error as Error).message).split('\n')[0]}`);
    }
  }
  return Object.keys(PEERS).filter(isUsable);
}

/** In a child process. */
export function loadPeer(name: string): PromClient {
  return loadModule(name) as PromClient;
}

/** In a child process. */
export function loadModule(name: string): unknown {
  return createRequire(join(DIRECTORY, 'noop.js'))(name);
}

function isUsable(name: string): boolean {
  try {
    return typeof loadPeer(name).Counter === 'function';
  } catch (error) {
    console.error(`${name} is left out: ${String((error as Error).message).split('\n')[0]}`);
    return false;
  }
}

function installedVersion(name: string): string | undefined {
  try {
    return JSON.parse(readFileSync(join(DIRECTORY, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}
