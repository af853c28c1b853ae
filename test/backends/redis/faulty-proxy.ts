/** A TCP proxy on the loopback interface that does to connections what networks do. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What to do with some bytes on their way: pass them on, swallow them and cut, pass half and cut, or wait. */
export type Fault = 'none' | 'drop' | 'cut' | 'delay';

export interface FaultyProxy {
  readonly port: number;
  /** Faults that happened, by what they were. */
  readonly counts: Record<Fault, number>;
  /** Decides for every chunk; changed at any time. */
  decide: (way: 'request' | 'reply', chunk: Buffer) => Fault;
  stop(): Promise<void>;
}

/** Longer than the time that tests give Redis to answer. */
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
    // A cut is what the one side sees at once; what was on its way to the other still arrives.
    pass(near, far, 'request', () => near.destroy());
    pass(far, near, 'reply', () => near.destroy());
  });
  function pass(from: Socket, into: Socket, way: 'request' | 'reply', cut: () => void): void {
    from.on('data', (chunk: Buffer) => {
      const fault = proxy.decide(way, chunk);
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
    from.on('close', () => setTimeout(() => into.destroy(), way === 'request' ? DELAY_MS : 0));
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

/** Numbers from 0 to 1, the same at every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
