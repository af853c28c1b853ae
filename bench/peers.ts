/**
 * Other clients to compare with. They are no dependencies of this package: the bench installs them for itself,
 * once, into the build folder.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plotter } from './plot.js';

const PEERS: Readonly<Record<string, string>> = {
  'prom-client': '15.1.3',
  '@prometheus-io/client': '0.16.1',
  '@platformatic/prom-client': '1.0.0',
};

/** Draws the curves. */
const PLOTTER = { echarts: '6.1.0' };

/** Where they are. */
export const PEERS_FOLDER = fileURLToPath(new URL('../bench-peers/', import.meta.url));

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
  return PEERS[name] === undefined ? name : `${name} ${PEERS[name]}`;
}

/** Installs what is not there yet, and gives the names of the peers that can be compared with. */
export function installPeers(): string[] {
  install(PEERS);
  return Object.keys(PEERS).filter(isUsable);
}

function install(packages: Readonly<Record<string, string>>): void {
  mkdirSync(PEERS_FOLDER, { recursive: true });
  const absent = Object.entries(packages).filter(([name, version]) => installedVersion(name) !== version);
  if (absent.length === 0) return;
  // Those that are there already are named too: what is not named is removed.
  const wanted = Object.entries({ ...PEERS, ...PLOTTER }).map(([name, version]) => `${name}@${version}`);
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  // A peer may refuse versions of Node on which it works: its check of them is switched off.
  const options = ['--no-save', '--ignore-scripts', '--engine-strict=false', ...quiet];
  try {
    execFileSync('npm', ['install', '--prefix', PEERS_FOLDER, ...options, ...wanted], { stdio: 'pipe' });
  } catch (error) {
    console.error(`Some peers could not be installed: ${String((error as Error).message).split('\n')[0]}`);
  }
}

/** In a child process. */
export function loadPeer(name: string): PromClient {
  return load(name) as PromClient;
}

/** @throws Error when it could not be installed */
export function loadPlotter(): Plotter {
  install(PLOTTER);
  return load('echarts') as Plotter;
}

function load(name: string): unknown {
  return createRequire(join(PEERS_FOLDER, 'noop.js'))(name);
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
    return JSON.parse(readFileSync(join(PEERS_FOLDER, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}
