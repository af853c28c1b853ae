/** Proxies that serve on a free port, the samples in their answers, and the warnings of a test. */
import type { TestContext } from 'node:test';
import { CollectorRegistry } from 'metheus';
import { TqdmPromProxy, type TqdmPromProxyOptions } from 'metheus/progress';
import { get } from '../support/http.js';

/** Options of bars that never draw and never read the clock, so that their metrics are exact. */
export const COUNTED = { disable: true, mininterval: 1e9 } as const;

let proxies = 0;

/** Starts a proxy that serves until the test ends. By default, it has its own registry and name. */
export async function serve(t: TestContext, options: TqdmPromProxyOptions = {}): Promise<TqdmPromProxy> {
  const registry = new CollectorRegistry();
  const name = `served-${++proxies}`;
  const proxy = new TqdmPromProxy({ httpHost: '127.0.0.1', httpPort: 0, registry, name, ...options });
  await proxy.start();
  t.after(() => proxy.stop());
  return proxy;
}

/** Returns the text that the proxy serves; throws unless the status is 200. */
export async function scrape({ url }: TqdmPromProxy): Promise<string> {
  const { status, body } = await get(url!);
  if (status !== 200) throw new Error(`Status ${status}: ${body}`);
  return body.toString();
}

/** Returns the samples of a text by name and labels. */
export function samples(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const SAMPLE = /^progress_(\w+)\{bucket="([^"]*)"(?:,unit="([^"]*)")?\} (.*)$/;

/** Returns the default metrics of one bucket by name without `progress_`, and unit: `completed_total B`. */
export function bucketOf(text: string, wanted: string): Record<string, number> {
  const found = text.split('\n').map((line) => SAMPLE.exec(line));
  return Object.fromEntries(
    found
      .filter((match) => match?.[2] === wanted)
      .map((match) => {
        const [, name, , unit, value] = match!;
        return [unit === undefined ? name : `${name} ${unit}`, Number(value)];
      }),
  );
}

/**
 * Returns the list to which the messages of this package's warnings are added until the test ends. Node.js emits a
 * warning one tick after its cause.
 */
export function listenForWarnings(t: TestContext): string[] {
  const messages: string[] = [];
  const listener = ({ name, message }: Error) => {
    if (name === 'MetheusWarning') messages.push(message);
  };
  process.on('warning', listener);
  t.after(() => process.off('warning', listener));
  return messages;
}
