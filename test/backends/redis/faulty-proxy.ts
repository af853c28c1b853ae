/** A TCP proxy on the loopback interface that injects the faults of networks. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Treatment of a chunk: forwarded; dropped, with the connection; cut in half, with the connection; or delayed. */
export type Fault = 'none' | 'drop' | 'cut' | 'delay';

export interface FaultyProxy {
  readonly port: number;
  /** Number of chunks by treatment. */
  readonly counts: Record<Fault, number>;
  /** Chooses the treatment of every chunk. Tests replace it at any time. */
  decide: (direction: 'request' | 'reply', chunk: Buffer) => Fault;
  stop(): Promise<void>;
}

/** Longer than the timeout of the backends in tests. */
const DELAY_MS = 100;

export async function startProxy(to: number): Promise<FaultyProxy> {
  const counts = { none: 0, drop: 0, cut: 0, delay: 0 };
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect(to, '127.0.0.1');
    far.setNoDelay(true);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
    }
    // The client sees a cut at once, while bytes on their way to the server still arrive.
    forward(near, far, 'request', () => near.destroy());
    forward(far, near, 'reply', () => near.destroy());
  });
  function forward(from: Socket, into: Socket, direction: 'request' | 'reply', cut: () => void): void {
    from.on('data', (chunk: Buffer) => {
      const fault = proxy.decide(direction, chunk);
      counts[fault] += 1;
      if (fault === 'none') into.write(chunk);
      else if (fault === 'delay') {
        from.pause();
        setTimeout(() => {
          into.write(chunk);
          from.resume();
        }, DELAY_MS);
      } else {
        if (fault === 'cut') into.write(chunk.subarray(0, chunk.length >> 1));
        cut();
      }
    });
    from.on('close', () => setTimeout(() => into.destroy(), direction === 'request' ? DELAY_MS : 0));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  const proxy: FaultyProxy = { port, counts, decide: () => 'none', stop };
  return proxy;
}

/** Returns a generator of numbers from 0 to 1, the same in every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
