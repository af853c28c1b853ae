/** Starting the proxy where it can be started. */
import { MetheusError } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';

/** All threads publish their bars together, under this name. */
export const PROXY = 'hash-tree';

const MOST_PORTS = 100;
const LAST_PORT = 65_535;

/**
 * Serves at `[::1]`, or at 127.0.0.1 where there is no IPv6, at the given port or the next free one.
 *
 * @param say - told where it serves, when that is not where it was asked to
 */
export async function startProxy(port: number, say: (text: string) => void): Promise<TqdmPromProxy> {
  const last = Math.min(port + MOST_PORTS - 1, LAST_PORT);
  let host = '::1';
  for (let next = port; next <= last; ) {
    const proxy = new TqdmPromProxy({ httpHost: host, httpPort: next, name: PROXY });
    try {
      await proxy.start();
      if (host !== '::1') say('There is no IPv6 here.');
      if (next !== port) say(`Port ${port} is in use: serving at ${next}.`);
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
