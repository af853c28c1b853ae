/** A dedicated server for metrics. */
import type { AddressInfo, Socket } from 'node:net';
import { activeBackend } from '../backends/active-backend.js';
import { warnOnce } from '../errors.js';
import { checkOptionNames, invalidValue, MAX_TIMER_SECONDS } from '../model/options.js';
import { REGISTRY } from '../registry/default-registry.js';
import { withoutBrackets } from '../system/host.js';
import { checkAllowedHosts, hostCheck, isLoopback } from './allowed-hosts.js';
import { authority, Connections, createListener, type Limits, listen } from './listener.js';
import { handlerOf } from './node-handler.js';
import { createResponder, type Page } from './respond.js';
import { HANDLER_OPTIONS, type MetricsHandlerOptions } from './response.js';
import { sharedCollections } from './shared-collection.js';
import type { AccessOptions } from './web-access.js';

/** Options of {@link startMetricsServer}. */
export interface MetricsServerOptions extends MetricsHandlerOptions, AccessOptions {
  /**
   * The address to listen on. The default is reachable from this machine only; `'::'` is every address. An IPv6 address
   * may be in brackets, as in a URL.
   *
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string;
  /** The port to listen on; 0 for any free port. @defaultValue 9464 */
  readonly port?: number;
  /**
   * The path of the metrics. `/` is a page that describes them, `/-/healthy` and `/-/ready` are for health checks.
   *
   * @defaultValue `'/metrics'`
   */
  readonly path?: string;
  /** Closes the server when aborted. */
  readonly signal?: AbortSignal;
  /** Maximum seconds that `close()` waits for running responses. @defaultValue 5 */
  readonly closeTimeout?: number;
  /**
   * Names by which clients reach the server, such as that of a reverse proxy. Requests that name another host are
   * answered with 403, so that a web page cannot read metrics through a name that resolves to this machine. Addresses,
   * `localhost` and `host` are always allowed.
   *
   * @defaultValue no further names on a loopback address; every host on other addresses
   */
  readonly allowedHosts?: readonly string[];
  /** Whether the process keeps running for the server alone. @defaultValue `true` */
  readonly keepAlive?: boolean;
  /** Maximum open connections; further ones are closed at once. @defaultValue 512, as in Prometheus */
  readonly maxConnections?: number;
  /** Maximum requests that are answered at the same time; further ones get the status 503. @defaultValue 40 */
  readonly maxRequestsInFlight?: number;
}

/** A listening server. */
export interface MetricsServer extends AsyncDisposable {
  /** The given host; an IPv6 address has no brackets. */
  readonly host: string;
  readonly port: number;
  /** The URL of the metrics, such as `http://[::1]:9464/metrics`. */
  readonly url: string;
  /**
   * Stops listening, closes idle connections, and resolves when the running responses have ended. Further calls return
   * the same promise. Never rejects.
   */
  close(): Promise<void>;
}

const SERVER_OPTIONS = [
  'host',
  'port',
  ...HANDLER_OPTIONS,
  'signal',
  'closeTimeout',
  'allowedHosts',
  'keepAlive',
  'maxConnections',
  'maxRequestsInFlight',
  'auth',
  'requireAuth',
  'webConfig',
];
const DEFAULT_PORT = 9464;
const HTML = 'text/html; charset=utf-8';
const PLAIN = 'text/plain; charset=utf-8';

/**
 * Serves metrics over HTTP, by default reachable from this machine only. Resolves when the server listens. Like any
 * server it keeps the process running until it is closed, unless `keepAlive` is false.
 *
 * @throws `METHEUS_PORT_IN_USE`, `METHEUS_LISTEN_FAILED`, `METHEUS_INVALID_OPTIONS`; the signal's reason when it
 * is already aborted
 * @example
 * ```ts
 * const server = await startMetricsServer({ host: '::1', port: 3000 });
 * console.log(server.url); // http://[::1]:3000/metrics
 * await server.close();
 * ```
 */
export function startMetricsServer(options: MetricsServerOptions = {}): Promise<MetricsServer> {
  return startServer(options);
}

/** Starts a server like {@link startMetricsServer}. The same checks protect the further pages, given by path. */
export async function startServer(
  options: MetricsServerOptions,
  morePages: Iterable<readonly [path: string, page: Page]> = [],
): Promise<MetricsServer> {
  checkOptionNames('a metrics server', options, SERVER_OPTIONS);
  const { host: given = '127.0.0.1', port = DEFAULT_PORT, path = '/metrics', signal, ...more } = options;
  const { closeTimeout = 5, allowedHosts, keepAlive = true, ...others } = more;
  const {
    maxConnections = 512,
    maxRequestsInFlight = 40,
    auth,
    requireAuth,
    webConfig,
    ...handlerOptions
  } = others;
  const host = withoutBrackets(given);
  checkServerOptions(host, port, closeTimeout);
  const limits = checkLimits({ maxConnections, maxRequestsInFlight });
  checkAllowedHosts(allowedHosts);
  signal?.throwIfAborted();
  // Loaded only for a server with restricted access, since it needs TLS and more.
  const isRestricted = [auth, requireAuth, webConfig].some((option) => option !== undefined);
  const access = isRestricted
    ? await (await import('./web-access.js')).WebAccess.open({ auth, requireAuth, webConfig })
    : undefined;
  let isAllowedHost: ReturnType<typeof hostCheck>;
  const pages = new Map<string, Page>([
    ['/', () => describeMetrics(path, handlerOptions)],
    ['/-/healthy', async () => [PLAIN, 'Healthy.\n']],
    ['/-/ready', describeReadiness],
    ...morePages,
  ]);
  const respond = createResponder(
    { ...handlerOptions, path },
    {
      pages,
      isAllowedHost: (name) => isAllowedHost?.(name) ?? true,
      ...(access !== undefined && { access }),
    },
  );
  const server = await createListener(access, handlerOf(respond), limits);
  const connections = new Connections(server);
  if (!keepAlive) server.unref().on('connection', (socket: Socket) => socket.unref());
  await listen(server, host, port).catch((error) => {
    access?.close();
    throw error;
  });
  const { address, port: actual } = server.address() as AddressInfo;
  isAllowedHost = hostCheck([host, address], allowedHosts);
  if (!access?.isRestricted && !isLoopback(address)) warnOfOpenServer(host);

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      signal?.removeEventListener('abort', close);
      access?.close();
      const timer = setTimeout(() => connections.destroy(), 1000 * closeTimeout);
      server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      connections.end();
    });
    return closed;
  };
  if (signal?.aborted) await close();
  signal?.throwIfAborted();
  signal?.addEventListener('abort', close);
  const url = `${access?.tls === undefined ? 'http' : 'https'}://${authority(host, actual)}${path}`;
  return { host, port: actual, url, close, [Symbol.asyncDispose]: close };
}

function checkServerOptions(host: unknown, port: unknown, closeTimeout: unknown): void {
  if (typeof host !== 'string' || host === '') {
    throw invalidValue('host', host, "an address or a name of this machine, such as '127.0.0.1' or '::1'");
  }
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65535) {
    throw invalidValue('port', port, 'a whole number from 0 to 65535');
  }
  if (typeof closeTimeout !== 'number' || !(closeTimeout >= 0 && closeTimeout <= MAX_TIMER_SECONDS)) {
    throw invalidValue('closeTimeout', closeTimeout, `seconds from 0 to ${MAX_TIMER_SECONDS}`);
  }
}

function checkLimits(limits: Limits): Limits {
  for (const [name, limit] of Object.entries(limits)) {
    if (!Number.isInteger(limit) || limit < 1) throw invalidValue(name, limit, 'a whole number above 0');
  }
  return limits;
}

/** Returns the page at `/`. @param path - the path of the metrics */
async function describeMetrics(
  path: string,
  { registry = REGISTRY, onError }: MetricsHandlerOptions,
): ReturnType<Page> {
  const { indexPage } = await import('./index-page.js');
  const collection = sharedCollections(registry, onError).join();
  try {
    return [HTML, await indexPage(path, await collection.families)];
  } finally {
    collection.release();
  }
}

/** Returns the page that says whether scrapes have all numbers: not while a backend is being loaded. */
async function describeReadiness(): ReturnType<Page> {
  const isReady = activeBackend().storage !== undefined;
  return isReady ? [PLAIN, 'Ready.\n'] : [PLAIN, 'The backend is being loaded.\n', 503];
}

function warnOfOpenServer(host: string): void {
  const remedy = 'Give auth or webConfig, or listen on 127.0.0.1';
  warnOnce('open server', `Every machine that reaches ${host} can read the metrics. ${remedy}.`);
}
