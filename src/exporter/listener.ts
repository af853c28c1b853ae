/** The listening side of a server: HTTP, HTTPS or HTTP/2, its connections, and their limits. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import { isIPv6, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { MetheusError, warnOnce } from '../errors.js';
import type { MetricsHandler } from './node-handler.js';
import type { WebAccess } from './web-access.js';

/** Limits of a server. */
export interface Limits {
  readonly maxConnections: number;
  readonly maxRequestsInFlight: number;
}

type AnyServer = Server | Http2SecureServer;

/** Creates a server that does not listen yet: over TLS and HTTP/2 where the web configuration says so. */
export async function createListener(
  access: WebAccess | undefined,
  handler: MetricsHandler,
  { maxConnections, maxRequestsInFlight }: Limits,
): Promise<AnyServer> {
  const limited = limitedHandler(handler, maxRequestsInFlight, () => access?.headers);
  const { tls, http2 = true } = access ?? {};
  let server: AnyServer;
  if (tls === undefined) server = createServer(limited);
  else if (http2) {
    const { createSecureServer } = await import('node:http2');
    server = createSecureServer({ ...tls.options, allowHTTP1: true }, limited as never);
  } else server = (await import('node:https')).createServer(tls.options, limited);
  server.maxConnections = maxConnections;
  if (access === undefined) return server;
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const refusal = access.connectionRefusalOf(socket);
    if (refusal === undefined) return;
    warnOnce(`client certificate ${refusal}`, `A client of the metrics server was refused: ${refusal}.`);
    socket.destroy();
  });
  access.watch(({ options }) => {
    (server as Http2SecureServer).setSecureContext(options);
    Object.assign(server, { requestCert: options.requestCert });
  });
  return server;
}

/** Answers with 503 while too many requests are being answered. */
function limitedHandler(
  handler: MetricsHandler,
  most: number,
  headersOfAll: () => object | undefined,
): MetricsHandler {
  let running = 0;
  return (request, response) => {
    if (running >= most) {
      const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '1', ...headersOfAll() };
      response.writeHead(503, headers).end(`${most} requests are being answered already.\n`);
      return;
    }
    running += 1;
    response.once('close', () => {
      running -= 1;
    });
    handler(request, response);
  };
}

/** @throws `METHEUS_PORT_IN_USE`, `METHEUS_LISTEN_FAILED` */
export function listen(server: AnyServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => reject(listenError(cause, host, port));
    server.once('error', refuse);
    server.listen({ host, port }, () => {
      server.off('error', refuse);
      // For instance, too many open files for a connection: it is lost, but the next one may work.
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

/** Returns host and port as in a URL. */
export function authority(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The connections of a server, so that closing it waits for responses and not for idle clients. Node's own
 * `closeIdleConnections` does not close connections on which no request was sent. Browsers open such connections in
 * advance.
 */
export class Connections {
  readonly #running = new Map<Socket, Set<ServerResponse>>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #ending = false;

  /** @param server - a server that does not listen yet */
  constructor(server: AnyServer) {
    server.on('connection', (socket: Socket) => this.#add(socket));
    // After the handshake of TLS, requests are on another object than the connection.
    server.prependListener('secureConnection', (socket: TLSSocket) => {
      for (const raw of this.#running.keys()) {
        const isSame = raw.remotePort === socket.remotePort && raw.remoteAddress === socket.remoteAddress;
        if (isSame) this.#running.delete(raw);
      }
      this.#add(socket);
    });
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.httpVersionMajor === 2) return;
      const { socket } = request;
      const responses = this.#running.get(socket);
      responses?.add(response);
      if (this.#ending) response.setHeader('Connection', 'close');
      response.once('close', () => {
        responses?.delete(response);
        if (this.#ending && responses?.size === 0) socket.destroySoon();
      });
    });
  }

  #add(socket: Socket): void {
    this.#running.set(socket, new Set());
    socket.once('close', () => this.#running.delete(socket));
  }

  /** Ends each connection: an idle one now, others with their last response. */
  end(): void {
    this.#ending = true;
    for (const session of this.#sessions) session.close();
    for (const [socket, responses] of this.#running) {
      if ((socket as Partial<TLSSocket>).alpnProtocol === 'h2') continue;
      if (responses.size === 0) socket.destroy();
      for (const response of responses) if (!response.headersSent) response.setHeader('Connection', 'close');
    }
  }

  /** Breaks all connections. */
  destroy(): void {
    for (const socket of this.#running.keys()) socket.destroy();
  }
}
