/** Access to a server: its web configuration, which is read again when a file changes, and the option `auth`. */
import { statSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { MetheusError, messageOf, warnOnce } from '../errors.js';
import {
  type Auth,
  type Authenticator,
  type AuthRequest,
  createAuthenticator,
  type Verdict,
} from './authenticate.js';
import type { Access, Refusal } from './response.js';
import { hasTls, type ServerTls, serverTls } from './tls-options.js';
import { filesOf, readWebConfig, secondsOf, type WebConfig } from './web-config.js';

/** Options that restrict the access to a server. */
export interface AccessOptions {
  /**
   * Credentials, one of which a request needs, or a function that reports whether a request is answered. Users of the
   * web configuration are accepted too.
   *
   * @defaultValue every request is answered
   */
  readonly auth?: Auth | undefined;
  /** Whether a server that answers every request is an error. @defaultValue `false` */
  readonly requireAuth?: boolean | undefined;
  /**
   * Prometheus' web configuration: the name of a YAML file, or the same keys as an object. A file, and the files that it
   * names, are read again when they change; if a new version is not valid, the old one stays in force, with a warning.
   *
   * @see https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
   */
  readonly webConfig?: string | WebConfig | undefined;
}

/** Interval at which the files are checked for changes. */
const CHECK_MS = 1000;

const REFUSALS: Readonly<Record<Exclude<Verdict, 'accepted'>, Refusal>> = {
  refused: { status: 401, text: 'Unauthorized\n' },
  busy: { status: 503, text: 'Too many passwords are being checked.\n', headers: { 'Retry-After': '1' } },
};

/** A valid web configuration. */
interface Settings {
  readonly tls: ServerTls | undefined;
  readonly http2: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly users: Authenticator | undefined;
  readonly limit: TokenBucket | undefined;
  readonly hasVerifiedClients: boolean;
  readonly files: readonly string[];
  /** The version of the files, taken before they were read. */
  readonly version: string;
}

export class WebAccess implements Access {
  readonly #given: string | WebConfig;
  readonly #auth: Authenticator | undefined;
  #settings: Settings;
  #timer: NodeJS.Timeout | undefined;
  /** The version of the files that were read last: see {@link versionOf}. */
  #version: string;

  private constructor(given: string | WebConfig, auth: Authenticator | undefined, settings: Settings) {
    this.#given = given;
    this.#auth = auth;
    this.#settings = settings;
    this.#version = settings.version;
  }

  /** @throws `METHEUS_INVALID_OPTIONS`, `METHEUS_DEPENDENCY_MISSING` */
  static async open({ auth, requireAuth = false, webConfig = {} }: AccessOptions): Promise<WebAccess> {
    const own = auth === undefined ? undefined : await createAuthenticator(auth);
    const access = new WebAccess(webConfig, own, await settingsOf(webConfig));
    if (!requireAuth || access.isRestricted) return access;
    throw new MetheusError('METHEUS_INVALID_OPTIONS', {
      given: 'requireAuth without credentials',
      expected: 'auth, users in webConfig, or the client_auth_type RequireAndVerifyClientCert',
    });
  }

  get tls(): ServerTls | undefined {
    return this.#settings.tls;
  }

  get http2(): boolean {
    return this.#settings.http2;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#settings.headers;
  }

  /** Whether a request needs credentials or a certificate. */
  get isRestricted(): boolean {
    return [this.#auth, this.#settings.users].some(Boolean) || this.#settings.hasVerifiedClients;
  }

  async refusalOf(request: AuthRequest): Promise<Refusal | undefined> {
    const { limit, users } = this.#settings;
    if (limit?.take() === false)
      return { status: 429, text: 'Too many requests.\n', headers: { 'Retry-After': '1' } };
    const authenticators = [users, this.#auth].filter((one) => one !== undefined);
    let worst: Refusal | undefined;
    for (const authenticate of authenticators) {
      const verdict = await authenticate(request);
      if (verdict === 'accepted') return undefined;
      const headers = verdict === 'refused' ? { 'WWW-Authenticate': authenticate.challenge } : {};
      worst ??= { ...REFUSALS[verdict], headers: { ...REFUSALS[verdict].headers, ...headers } };
    }
    return worst;
  }

  /** Returns the reason to refuse a client's connection; undefined if there is none. */
  connectionRefusalOf(socket: TLSSocket): string | undefined {
    return this.#settings.tls?.refusalOf(socket);
  }

  /** Begins to look for changes. @param onTls - called with the new TLS */
  watch(onTls: (tls: ServerTls) => void): void {
    if (this.#settings.files.length === 0) return;
    this.#timer = setInterval(() => void this.#reload(onTls), CHECK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #reload(onTls: (tls: ServerTls) => void): Promise<void> {
    const version = versionOf(this.#settings.files);
    if (version === this.#version) return;
    this.#version = version;
    try {
      const settings = await settingsOf(this.#given);
      if ((settings.tls === undefined) !== (this.#settings.tls === undefined)) {
        throw new Error('TLS can only be switched on or off by a restart');
      }
      if (this.isRestricted && !this.#auth && !settings.users && !settings.hasVerifiedClients) {
        throw new Error('Authentication can only be switched off by a restart');
      }
      this.#settings = settings;
      this.#version = settings.version;
      if (settings.tls !== undefined) onTls(settings.tls);
    } catch (error) {
      // The next check tries again, since a missing file may have been created by then.
      this.#version = '';
      const message = messageOf(error);
      warnOnce(`web config ${message}`, `The old web configuration stays in force. ${message}`);
    }
  }
}

async function settingsOf(given: string | WebConfig): Promise<Settings> {
  const own = typeof given === 'string' ? versionOf([given]) : '';
  const config = await readWebConfig(given);
  const files = filesOf(given, config);
  // A file that changes while it is read is read again at the next check.
  const isUnchanged = own === '' || own === versionOf([given as string]);
  const version = isUnchanged ? versionOf(files) : '';
  const { tls_server_config: tls, http_server_config: http, basic_auth_users, rate_limit } = config;
  const users = basic_auth_users ?? {};
  const interval = secondsOf(rate_limit?.interval) ?? 0;
  const headers = Object.entries(http?.headers ?? {}).filter(([, text]) => text !== '');
  return {
    tls: hasTls(tls) ? serverTls(tls) : undefined,
    http2: http?.http2 ?? true,
    headers: Object.fromEntries(headers),
    users: Object.keys(users).length > 0 ? await createAuthenticator({ users }) : undefined,
    limit: interval > 0 ? new TokenBucket(interval, rate_limit?.burst ?? 0) : undefined,
    hasVerifiedClients: tls?.client_auth_type === 'RequireAndVerifyClientCert',
    files,
    version,
  };
}

/** Returns a text that changes when one of the files does. */
function versionOf(files: readonly string[]): string {
  const stats = files.map((file) => {
    try {
      const { ino, size, mtimeMs } = statSync(file);
      return [ino, size, mtimeMs];
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  });
  return JSON.stringify(stats);
}

/** A rate limit: one token comes back after each interval, up to the burst. */
class TokenBucket {
  readonly #interval: number;
  readonly #burst: number;
  #tokens: number;
  #time = performance.now() / 1000;

  /** @param interval - seconds */
  constructor(interval: number, burst: number) {
    this.#interval = interval;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes a token. Reports whether there was one. */
  take(): boolean {
    const now = performance.now() / 1000;
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#time) / this.#interval);
    this.#time = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
