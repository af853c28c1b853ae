/**
 * Other packages to compare with. They are not dependencies of this package: the benchmark installs them into
 * the build folder once.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Debian's Python, for which the Debian packages are installed. */
export const PYTHON = '/usr/bin/python3';

const PEERS: Readonly<Record<string, string>> = {
  'prom-client': '15.1.3',
  '@prometheus-io/client': '0.16.1',
  '@platformatic/prom-client': '1.0.0',
};

/** Progress bars, each with its own interface. */
const RIVALS: Readonly<Record<string, string>> = {
  'cli-progress': '3.12.0',
  progress: '2.0.3',
  'ts-tqdm': '0.8.6',
  'node-console-progress-bar-tqdm': '1.0.4',
};
/** The library that draws the curves. */
const PLOTTER: Readonly<Record<string, string>> = { echarts: '6.1.0' };
const INSTALLED = { ...PEERS, ...RIVALS, ...PLOTTER };

/** The folder into which the packages are installed. */
export const PEERS_FOLDER = fileURLToPath(new URL('../bench-peers/', import.meta.url));

/** The interface that all clients share, as far as the benchmark uses it. */
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

/** The part of the interface of ECharts that the benchmark uses. */
export interface Plotter {
  init(
    dom: null,
    theme: null,
    options: { renderer: 'svg'; ssr: true; width: number; height: number },
  ): { setOption(option: object): void; renderToSVGString(): string; dispose(): void };
}

/** Returns the name and version of a package for a table header. */
export function describePeer(name: string): string {
  const version = INSTALLED[name];
  return version === undefined ? name : `${name} ${version}`;
}

/** Installs the packages that are missing, and returns the names of the clients that can be loaded. */
export function installPeers(): string[] {
  install({ ...PEERS, ...RIVALS });
  return Object.keys(PEERS).filter(isUsable);
}

function install(packages: Readonly<Record<string, string>>): void {
  mkdirSync(PEERS_FOLDER, { recursive: true });
  const absent = Object.entries(packages).filter(([name, version]) => installedVersion(name) !== version);
  if (absent.length === 0) return;
  // `npm install` removes packages that are not named, so the installed ones are named too.
  const wanted = Object.entries(INSTALLED).map(([name, version]) => `${name}@${version}`);
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  // Some packages exclude versions of Node on which they work.
  const options = ['--no-save', '--ignore-scripts', '--engine-strict=false', ...quiet];
  try {
    execFileSync('npm', ['install', '--prefix', PEERS_FOLDER, ...options, ...wanted], { stdio: 'pipe' });
  } catch (error) {
    console.error(`Some peers could not be installed: ${String((error as Error).message).split('\n')[0]}`);
  }
}

/** Python packages, which the benchmark does not install. */
const IN_PYTHON: Readonly<Record<string, { readonly program: string; readonly todo: string }>> = {
  'python3-tqdm': { program: 'import tqdm', todo: 'install the Debian package python3-tqdm' },
  pytheus: {
    program: 'import os, sys, redis; sys.path.insert(0, os.environ["PYTHEUS_CHECKOUT"]); import pytheus',
    todo: 'let PYTHEUS_CHECKOUT name the directory that has it, and install the Debian package python3-redis',
  },
};

const found = new Map<string, boolean>();

/** Reports whether a package can be measured. Prints once why one cannot. */
export function isInstalled(rival: string): boolean {
  const known = found.get(rival);
  if (known !== undefined) return known;
  const python = IN_PYTHON[rival];
  const there = python === undefined || spawnSync(PYTHON, ['-c', python.program]).status === 0;
  if (!there) console.error(`${rival} is left out: ${python.todo}.`);
  found.set(rival, there);
  return there;
}

/** Loads a client, in the process that measures it. */
export function loadPeer(name: string): PromClient {
  return loadModule(name) as PromClient;
}

/** @throws Error when the library cannot be installed */
export function loadPlotter(): Plotter {
  install(PLOTTER);
  return loadModule('echarts') as Plotter;
}

/** Loads a package from the folder of the benchmark. */
export function loadModule(name: string): unknown {
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
