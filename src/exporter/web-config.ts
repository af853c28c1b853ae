/**
 * Prometheus' web configuration file: TLS, users, headers and a rate limit of a server.
 *
 * @see https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
 */
import { readFileSync } from 'node:fs';
import { validateHeaderValue } from 'node:http';
import { dirname, resolve } from 'node:path';
import { MetheusError, messageOf, missingPackage, show } from '../errors.js';

/** A web configuration. Its keys are those of the file. */
export interface WebConfig {
  readonly tls_server_config?: WebTlsConfig;
  readonly http_server_config?: {
    /** Over TLS only. @defaultValue `true` */
    readonly http2?: boolean;
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** Users and the bcrypt hashes of their passwords. */
  readonly basic_auth_users?: Readonly<Record<string, string>>;
  readonly rate_limit?: {
    /** The time after which one more request is accepted, such as `'1s'`; 0 for no limit. */
    readonly interval?: string | number;
    /** Requests that are accepted at once. */
    readonly burst?: number;
  };
}

/** The TLS of a server. Either files or the PEM texts themselves. */
export interface WebTlsConfig {
  readonly cert?: string;
  readonly key?: string;
  readonly client_ca?: string;
  readonly cert_file?: string;
  readonly key_file?: string;
  readonly client_ca_file?: string;
  readonly client_auth_type?: string;
  readonly client_allowed_sans?: readonly string[];
  readonly min_version?: string;
  readonly max_version?: string;
  readonly cipher_suites?: readonly string[];
  readonly prefer_server_cipher_suites?: boolean;
  readonly curve_preferences?: readonly string[];
}

/** The allowed headers and their values; `undefined` for any value. */
const HEADERS: Readonly<Record<string, readonly string[] | undefined>> = {
  'Strict-Transport-Security': undefined,
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': undefined,
  'Content-Security-Policy': undefined,
};

type Check = (value: unknown) => string | undefined;

const isA =
  (type: string): Check =>
  // A YAML key without a value is null, which means the default.
  (value) =>
    value === null || typeof value === type ? undefined : `a ${type}`;
const isStrings: Check = (value) =>
  value === null || (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    ? undefined
    : 'a list of strings';
const isDuration: Check = (value) => (secondsOf(value) === undefined ? "a duration such as '1s'" : undefined);
const isUsers: Check = (value) =>
  value === null ||
  (typeof value === 'object' && Object.values(value).every((hash) => typeof hash === 'string'))
    ? undefined
    : 'names with hashes';

function isHeaderValue(name: string, text: string): boolean {
  try {
    validateHeaderValue(name, text);
    return true;
  } catch {
    return false;
  }
}

interface Shape {
  readonly [key: string]: Check | Shape;
}

/** The check of each key. */
const SHAPE: Shape = {
  tls_server_config: {
    cert: isA('string'),
    key: isA('string'),
    client_ca: isA('string'),
    cert_file: isA('string'),
    key_file: isA('string'),
    client_ca_file: isA('string'),
    client_auth_type: isA('string'),
    client_allowed_sans: isStrings,
    min_version: isA('string'),
    max_version: isA('string'),
    cipher_suites: isStrings,
    prefer_server_cipher_suites: isA('boolean'),
    curve_preferences: isStrings,
  },
  http_server_config: {
    http2: isA('boolean'),
    headers: (value) => {
      for (const [name, text] of Object.entries(value ?? {})) {
        if (!Object.hasOwn(HEADERS, name)) return `only the headers ${Object.keys(HEADERS).join(', ')}`;
        const allowed = HEADERS[name];
        if (typeof text !== 'string') return 'strings as values';
        if (!isHeaderValue(name, text)) return `${name} to be one line of text`;
        if (allowed !== undefined && !allowed.includes(text)) return `${name} to be ${allowed.join(' or ')}`;
      }
      return undefined;
    },
  },
  basic_auth_users: isUsers,
  rate_limit: { interval: isDuration, burst: isA('number') },
};

/**
 * Reads a web configuration, and makes the names of its files absolute: those in a file are relative to it.
 *
 * @param given - the name of a YAML file, or the configuration itself
 * @throws `METHEUS_INVALID_OPTIONS`, `METHEUS_DEPENDENCY_MISSING` without the package `yaml`
 */
export async function readWebConfig(given: string | WebConfig): Promise<WebConfig> {
  const isFile = typeof given === 'string';
  const config = isFile ? await parseFile(given) : given;
  checkShape(isFile ? given : 'webConfig', config ?? {}, SHAPE);
  return withPaths((config ?? {}) as WebConfig, isFile ? dirname(resolve(given)) : process.cwd());
}

/** Returns the names of all files of a configuration. */
export function filesOf(given: string | WebConfig, { tls_server_config: tls = {} }: WebConfig): string[] {
  const { cert_file, key_file, client_ca_file } = tls ?? {};
  const files = [typeof given === 'string' ? given : undefined, cert_file, key_file, client_ca_file];
  return files.filter((file) => file !== undefined && file !== null && file !== '') as string[];
}

async function parseFile(path: string): Promise<unknown> {
  const { parse } = await importYaml();
  try {
    return parse(readFileSync(path, 'utf8'), { version: '1.1', uniqueKeys: true, prettyErrors: false });
  } catch (error) {
    // The parser's error is not the cause, since it may quote a secret from the file.
    throw new MetheusError('METHEUS_INVALID_OPTIONS', {
      given: `the web configuration ${show(path)} (${messageOf(error).split('\n')[0]})`,
      expected: 'a readable YAML file',
    });
  }
}

function checkShape(path: string, value: unknown, shape: Shape): void {
  const refuse = (at: string, expected: string) =>
    new MetheusError('METHEUS_INVALID_OPTIONS', { given: `${at} in the web configuration`, expected });
  if (value === null) return;
  if (typeof value !== 'object' || Array.isArray(value)) throw refuse(path, 'keys with values');
  for (const [key, inner] of Object.entries(value)) {
    const check = Object.hasOwn(shape, key) ? shape[key]! : undefined;
    if (check === undefined) throw refuse(`${path}: ${key}`, `one of ${Object.keys(shape).join(', ')}`);
    if (typeof check === 'object') {
      checkShape(`${path}: ${key}`, inner, check);
      continue;
    }
    // Values are not shown, since they may be secrets.
    const expected = inner === undefined ? undefined : check(inner);
    if (expected !== undefined) throw refuse(`${path}: ${key}`, expected);
  }
}

function withPaths(config: WebConfig, directory: string): WebConfig {
  const { tls_server_config: tls } = config;
  if (tls === undefined || tls === null) return config;
  const entries = Object.entries(tls).map(([key, value]) => {
    return [key, key.endsWith('_file') && value ? resolve(directory, String(value)) : value];
  });
  return { ...config, tls_server_config: Object.fromEntries(entries) };
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** Returns a Go duration, such as `1m30s`, in seconds; undefined if it is none. A number is in nanoseconds. */
export function secondsOf(duration: unknown): number | undefined {
  if (duration === null || duration === undefined) return 0;
  if (typeof duration === 'number') return duration >= 0 ? duration * 1e-9 : undefined;
  if (typeof duration !== 'string' || !/^(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$/.test(duration))
    return undefined;
  const parts = duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  return [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!, 0);
}

/** @throws `METHEUS_DEPENDENCY_MISSING` */
async function importYaml(): Promise<typeof import('yaml')> {
  try {
    return await import('yaml');
  } catch (cause) {
    throw missingPackage('yaml', 'yaml, with which web configuration files are read', cause);
  }
}
