/** The connections of a server, so that closing it waits for answers and not for idle clients. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Knows which connections have a response running. Node's own `closeIdleConnections` keeps those that have
 * never sent a request, as browsers open them in advance.
 */
export class Connections {
  readonly #running = new Map<Socket, Set<ServerResponse>>();
  #ending = false;

  /** @param server - one that does not listen yet */
  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.#running.set(socket, new Set());
      socket.once('close', () => this.#running.delete(socket));
    });
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
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

  /** Ends each connection: now where it is idle, else with its last response. */
  end(): void {
    this.#ending = true;
    for (const [socket, responses] of this.#running) {
      if (responses.size === 0) socket.destroy();
      for (const response of responses) if (!response.headersSent) response.setHeader('Connection', 'close');
    }
  }
}
