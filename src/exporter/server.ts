/** A server of its own for metrics. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { MetheusError, warnOnce } from '../errors.js';
import { Connections } from './connections.js';
import { handlerOf } from './node-handler.js';
import { invalidOption, type MetricsHandlerOptions } from './options.js';
import { createResponder } from './respond.js';

/** Options of {@link startMetricsServer}. */
export interface MetricsServerOptions extends MetricsHandlerOptions {
  /**
   * The address to listen on. The default can be reached from this machine only; `'::'` is every address.
   *
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string;
  /** The port to listen on; 0 for any free one. @defaultValue 9464 */
  readonly port?: number;
  /** Where the metrics are. At `/` there is a page that links there. @defaultValue `'/metrics'` */
  readonly path?: string;
  /** Closes the server when aborted. */
  readonly signal?: AbortSignal;
  /** How long `close()` lets running responses go on, in milliseconds. @defaultValue 5000 */
  readonly closeTimeout?: number;
}

/** A server that listens. */
export interface MetricsServer extends AsyncDisposable {
  /** As it was given. */
  readonly host: string;
  readonly port: number;
  /** Where the metrics are: `http://[::1]:9464/metrics`. */
  readonly url: string;
  /**
   * Listens no more, closes idle connections, and resolves when the running responses have ended. Calling it
   * again gives the same promise. Never rejects.
   */
  close(): Promise<void>;
}

const DEFAULT_PORT = 9464;

/**
 * Serves metrics over HTTP, on this machine only unless told otherwise. Resolves when the server listens. Like
 * any server it keeps the process running until it is closed.
 *
 * @throws `METHEUS_PORT_IN_USE`, `METHEUS_LISTEN_FAILED`, `METHEUS_INVALID_OPTIONS`; the signal's reason when it
 * is aborted already
 * @example
 * ```ts
 * const server = await startMetricsServer({ host: '::1', port: 3000 });
 * console.log(server.url); // http://[::1]:3000/metrics
 * await server.close();
 * ```
 */
export async function startMetricsServer(options: MetricsServerOptions = {}): Promise<MetricsServer> {
  const { host = '127.0.0.1', port = DEFAULT_PORT, path = '/metrics', signal } = options;
  const { closeTimeout = 5000 } = options;
  checkServerOptions(host, port, closeTimeout);
  signal?.throwIfAborted();
  const server = createServer(handlerOf(createResponder({ ...options, path }, true)));
  const connections = new Connections(server);
  await listen(server, host, port);

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      signal?.removeEventListener('abort', close);
      const timer = setTimeout(() => server.closeAllConnections(), closeTimeout);
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
  const actual = (server.address() as AddressInfo).port;
  const url = `http://${authority(host, actual)}${path}`;
  return { host, port: actual, url, close, [Symbol.asyncDispose]: close };
}

function checkServerOptions(host: unknown, port: unknown, closeTimeout: unknown): void {
  if (typeof host !== 'string' || host === '') {
    throw invalidOption('host', host, "an address or a name of this machine, such as '127.0.0.1' or '::1'");
  }
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65535) {
    throw invalidOption('port', port, 'a whole number from 0 to 65535');
  }
  if (typeof closeTimeout !== 'number' || !(closeTimeout >= 0 && closeTimeout < 2 ** 31)) {
    throw invalidOption('closeTimeout', closeTimeout, 'milliseconds from 0 to 2147483647');
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => reject(listenError(cause, host, port));
    server.once('error', refuse);
    server.listen({ host, port }, () => {
      server.off('error', refuse);
      // Such as too many open files when a connection comes in: it is lost, and the next may work.
      server.on('error', ({ message }) =>
        warnOnce('metrics server', `The metrics server failed: ${message}`),
      );
      resolve();
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): MetheusError {
  const address = authority(host, port);
  if (cause.code === 'EADDRINUSE') {
    return new MetheusError('METHEUS_PORT_IN_USE', {
      given: address,
      expected: 'a port that nothing listens on',
      todo: 'Stop what listens there, or give another port; port 0 takes any free one',
      cause,
    });
  }
  return new MetheusError('METHEUS_LISTEN_FAILED', {
    given: `${address} (${cause.message})`,
    expected: 'an address of this machine and a port that this process may use',
    todo: 'Give another host or port',
    cause,
  });
}

/** Host and port as they stand in a URL. */
function authority(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
