/** HTTP requests that deliver numbers to another server. */

import {
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { MetheusError, messageOf, show } from '../errors.js';
import { invalidValue, MAX_TIMER_SECONDS } from '../model/options.js';

/** Credentials of a request: a user of basic authentication, or a token. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly bearer: string };

/** How a server is trusted, and which client certificate it gets: options of `node:tls`. */
export interface ClientTls extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'> {
  /** The name that the certificate must have. @defaultValue the host of the URL */
  readonly servername?: string;
  /** Whether a certificate that is not trusted ends the request. @defaultValue `true` */
  readonly rejectUnauthorized?: boolean;
}

/** Options of every destination that is reached over HTTP. */
export interface DestinationOptions {
  /** @example `'http://[::1]:9091'` */
  readonly url: string | URL;
  /** Further headers, such as `{ 'X-Scope-OrgID': 'team' }`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly auth?: Credentials;
  readonly tls?: ClientTls;
  /** Seconds until an unanswered request fails. @defaultValue 10 */
  readonly timeout?: number;
}

/** Names of the options in {@link DestinationOptions}. */
export const DESTINATION_OPTIONS = ['url', 'headers', 'auth', 'tls', 'timeout'];

/** Error of a delivery: the server has refused it, or has not answered. */
export class PushError extends MetheusError {
  override name = 'PushError';
  /** The status of the answer; undefined if there was none. */
  readonly status: number | undefined;
  /** Seconds after which the server wants the next attempt, if it has said so. */
  readonly retryAfter: number | undefined;

  constructor(given: string, { status, retryAfter, cause }: Partial<Reply> & { cause?: unknown } = {}) {
    super('METHEUS_PUSH_FAILED', { given, expected: 'an answer with a status from 200 to 299', cause });
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** A request without its method and URL. */
export interface RequestContent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
}

/** The answer of a server. */
export interface Reply {
  readonly status: number;
  readonly body: Buffer;
  readonly retryAfter: number | undefined;
}

/** Maximum bytes of an answer that are read. */
const MAX_REPLY_BYTES = 65_536;
/** Maximum characters of an answer in an error message. */
const MAX_REPLY_TEXT = 500;

/** A server, reached over HTTP or HTTPS, to which numbers are delivered. */
export class Destination {
  readonly base: URL;
  readonly #options: RequestOptions;
  readonly #timeout: number;

  /** @throws `METHEUS_INVALID_OPTIONS` */
  constructor({ url, headers = {}, auth, tls = {}, timeout = 10 }: DestinationOptions) {
    this.base = checkUrl(url);
    if (typeof timeout !== 'number' || !(timeout > 0 && timeout <= MAX_TIMER_SECONDS)) {
      throw invalidValue('timeout', timeout, `seconds, more than 0 and at most ${MAX_TIMER_SECONDS}`);
    }
    checkHeaders(headers);
    this.#timeout = timeout;
    const { ca, cert, key, passphrase, servername, rejectUnauthorized } = tls;
    const trust = { ca, cert, key, passphrase, servername, rejectUnauthorized };
    this.#options = {
      ...Object.fromEntries(Object.entries(trust).filter(([, value]) => value !== undefined)),
      headers: { ...headers, ...(auth && { Authorization: authorization(auth) }) },
    };
  }

  /**
   * Sends a request, and returns the answer, whatever its status.
   *
   * @param path - appended to the URL of this destination, after a slash; `''` for the URL itself
   * @throws `METHEUS_PUSH_FAILED` without an answer
   */
  send(method: string, path: string, { headers = {}, body, signal }: RequestContent = {}): Promise<Reply> {
    const url = new URL(this.base);
    if (path !== '') url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
    const options: RequestOptions = {
      ...this.#options,
      method,
      headers: {
        ...headers,
        ...(this.#options.headers as Record<string, string>),
        ...(body && { 'Content-Length': String(body.length) }),
      },
      signal,
    };
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        clearTimeout(timer);
        reject(
          new PushError(`no answer from ${withoutSecrets(url)} (${messageOf(cause).trim()})`, { cause }),
        );
      };
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
        readReply(response).then((reply) => {
          clearTimeout(timer);
          resolve(reply);
        }, fail);
      });
      const timer = setTimeout(
        () => request.destroy(new Error(`nothing for ${this.#timeout} s`)),
        1000 * this.#timeout,
      );
      request.on('error', fail);
      request.end(body);
    });
  }

  /** Sends a request like {@link send}. @throws `METHEUS_PUSH_FAILED` with any status but 200 to 299 */
  async deliver(...request: Parameters<Destination['send']>): Promise<Reply> {
    const reply = await this.send(...request);
    if (reply.status >= 200 && reply.status < 300) return reply;
    throw this.refusal(reply);
  }

  /** Returns the error of an answer that refuses a delivery. */
  refusal(reply: Reply): PushError {
    const text = reply.body.toString().trim().slice(0, MAX_REPLY_TEXT);
    const given = `status ${reply.status} from ${withoutSecrets(this.base)}${text === '' ? '' : `: ${text}`}`;
    return new PushError(given, reply);
  }
}

/** Reads an answer, and destroys the connection if it is longer than {@link MAX_REPLY_BYTES}. */
async function readReply(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_REPLY_BYTES) break;
  }
  const retryAfter = secondsOf(response.headers['retry-after']);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks), retryAfter };
}

/** Returns the seconds of a header `Retry-After`, which has seconds or a date. */
function secondsOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** Compresses a body with gzip, and adds its header. */
export function gzipped(body: Uint8Array): { headers: { 'Content-Encoding': string }; body: Uint8Array } {
  return { headers: { 'Content-Encoding': 'gzip' }, body: gzipSync(body) };
}

function checkUrl(given: unknown): URL {
  const url = typeof given === 'string' || given instanceof URL ? parsed(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    // A wrong URL may contain a password.
    const shown = typeof given === 'string' ? given.replace(/^.*@/s, '…@') : given;
    throw invalidValue(
      'url',
      shown instanceof URL ? withoutSecrets(shown) : shown,
      "a URL such as 'http://127.0.0.1:9091'",
    );
  }
  url.hash = '';
  return url;
}

function parsed(given: string | URL): URL | null {
  try {
    return new URL(given);
  } catch {
    return null;
  }
}

/** @throws `METHEUS_INVALID_OPTIONS` */
function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      // Values may be secrets.
      throw invalidValue('headers', Object.keys(headers), `a valid name and value instead of ${show(name)}`);
    }
  }
}

/** @throws `METHEUS_INVALID_OPTIONS` */
function authorization(auth: Credentials): string {
  if ('bearer' in auth && typeof auth.bearer === 'string') return `Bearer ${auth.bearer}`;
  const { username, password } = auth as { username?: unknown; password?: unknown };
  if (typeof username === 'string' && typeof password === 'string' && !username.includes(':')) {
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
  throw new MetheusError('METHEUS_INVALID_OPTIONS', {
    // The values are secrets.
    given: `auth with ${Object.keys(auth).join(', ') || 'nothing'}`,
    expected: 'username (without a colon) and password, or bearer: strings',
  });
}

/** Returns a URL as text without its user and password. */
function withoutSecrets(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
