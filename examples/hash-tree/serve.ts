/** Starts the proxy on a free port. */
import { MetheusError } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';

/** Name under which all threads publish their bars together. */
export const PROXY = 'hash-tree';

const MAX_PORTS = 100;
const LAST_PORT = 65_535;

/**
 * Serves at `[::1]`, or at 127.0.0.1 without IPv6, on the given port or the next free one.
 *
 * @param print - called when the address differs from the requested one
 */
export async function startProxy(port: number, print: (text: string) => void): Promise<TqdmPromProxy> {
  const last = Math.min(port + MAX_PORTS - 1, LAST_PORT);
  let host = '::1';
  for (let next = port; next <= last; ) {
    const address = { httpHost: host, httpPort: next };
    const proxy = new TqdmPromProxy({ ...address, required: true, keepAlive: true, name: PROXY });
    try {
      await proxy.start();
      if (host !== '::1') print('IPv6 is not available: serving at 127.0.0.1.');
      if (next !== port) print(`Port ${port} is in use: serving at ${next}.`);
      return proxy;
    } catch (error) {
      if (!(error instanceof MetheusError)) throw error;
      if (error.code === 'METHEUS_PORT_IN_USE') next += 1;
      else if (error.code === 'METHEUS_LISTEN_FAILED' && host === '::1') host = '127.0.0.1';
      else throw error;
    }
  }
  throw new Error(`No port from ${port} to ${last} is free.`);
}
