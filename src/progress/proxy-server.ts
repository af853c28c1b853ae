/** The server of a proxy. It takes another address or port instead of failing, so that it never ends the program. */
import { type MetheusError, messageOf, warnOnce } from '../errors.js';
import type { MetricsServer, MetricsServerOptions } from '../exporter/server.js';
import { withoutBrackets } from '../system/host.js';

/** Addresses that are tried when the given one is not available. Both are reachable from this machine only. */
const LOOPBACK = ['127.0.0.1', '::1'];
/** Number of ports that are tried after the given port, before any free port is taken. */
const NEXT_PORTS = 20;
const LAST_PORT = 65_535;

/** Codes of errors that another port of the same address may avoid. */
const PORT_ERRORS: readonly unknown[] = ['EADDRINUSE', 'EACCES'];

type Address = Required<Pick<MetricsServerOptions, 'host' | 'port'>>;

/** A function that starts a server at an address. */
type Start = (address: Address) => Promise<MetricsServer>;

/**
 * Starts a server at the given address or, with a warning, at the first one that works: one of the next ports, any free
 * port, then the same on a loopback address. Returns undefined, with a warning, if none works.
 *
 * @throws `METHEUS_INVALID_OPTIONS`
 */
export async function serveAnywhere(wanted: Address, start: Start): Promise<MetricsServer | undefined> {
  let refused: MetheusError | undefined;
  for (const host of new Set([withoutBrackets(wanted.host), ...LOOPBACK])) {
    for (const port of portsFrom(wanted.port)) {
      try {
        const server = await start({ host, port });
        if (refused !== undefined) warn(refused, server.url, `are served at ${server.url}`);
        return server;
      } catch (error) {
        const { code, cause } = error as MetheusError;
        if (code === 'METHEUS_INVALID_OPTIONS') throw error;
        refused ??= error as MetheusError;
        if (!PORT_ERRORS.includes((cause as NodeJS.ErrnoException | undefined)?.code)) break;
      }
    }
  }
  warn(refused!, `${wanted.host} ${wanted.port}`, 'are not served');
  return undefined;
}

function warn(refused: MetheusError, place: string, outcome: string): void {
  warnOnce(`bars served elsewhere ${place}`, `${messageOf(refused)} The progress bars ${outcome}.`);
}

/** Yields the given port, the next ones, and 0 for any free port. */
function* portsFrom(port: number): Generator<number> {
  yield port;
  if (port === 0) return;
  const last = Math.min(port + NEXT_PORTS, LAST_PORT);
  for (let next = port + 1; next <= last; next++) yield next;
  yield 0;
}
