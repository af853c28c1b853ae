/** Checks with sentinels that a client is still connected to the primary after it has sent its last batch. */
import { lookup } from 'node:dns/promises';
import type { Redis } from 'ioredis';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The members of an ioredis client that identify its server and its sentinels. */
interface SentinelClient {
  readonly stream?: { readonly remoteAddress?: string; readonly remotePort?: number };
  readonly options?: {
    readonly sentinels?: readonly Partial<Address>[];
    readonly name?: string;
    readonly natMap?: Readonly<Record<string, Address>> | ((key: string) => Address | null);
    readonly sentinelUsername?: string;
    readonly sentinelPassword?: string;
    readonly sentinelTLS?: object;
    readonly family?: number;
  };
}

/**
 * Reports whether a client is connected to the server that all sentinels name as the primary, and no failover is under
 * way. During a planned failover, the old primary accepts writes that are lost when it is demoted. Sentinels that do
 * not reply are left out.
 *
 * @param connectTimeout - maximum milliseconds until a sentinel replies
 */
export async function isConnectedToPrimary(
  client: object,
  Client: typeof Redis,
  connectTimeout: number,
): Promise<boolean> {
  const { options = {}, stream } = client as SentinelClient;
  const { sentinels = [], name = '', natMap, family } = options;
  const isPrimaryOf = async (address: Partial<Address>): Promise<boolean> => {
    const sentinel = new Client({
      port: 26_379,
      ...address,
      ...(family === undefined ? {} : { family }),
      username: options.sentinelUsername ?? '',
      password: options.sentinelPassword ?? '',
      ...(options.sentinelTLS === undefined ? {} : { tls: options.sentinelTLS }),
      connectTimeout,
      commandTimeout: connectTimeout,
      retryStrategy: () => null,
      enableReadyCheck: false,
    });
    sentinel.on('error', () => {});
    try {
      const fields = (await sentinel.call('SENTINEL', 'MASTER', name)) as string[];
      const [host, port] = (await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as [
        string,
        string,
      ];
      const fieldOf = (key: string) => fields[fields.indexOf(key) + 1]!;
      // Once the replica has been promoted, a sentinel reports its address, even if the failover is still in progress.
      const isKnown = host !== fieldOf('ip') || port !== fieldOf('port');
      if (!isKnown && fieldOf('flags').includes('failover_in_progress')) return false;
      const key = `${host}:${port}`;
      const primary = (typeof natMap === 'function' ? natMap(key) : natMap?.[key]) ?? { host, port };
      const addresses = await lookup(primary.host, { all: true });
      const isSameHost = addresses.some(({ address }) => address === stream?.remoteAddress);
      return isSameHost && Number(primary.port) === stream?.remotePort;
    } catch {
      return true;
    } finally {
      sentinel.disconnect();
    }
  };
  return (await Promise.all(sentinels.map(isPrimaryOf))).every(Boolean);
}
