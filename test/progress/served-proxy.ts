/** Proxies that serve at a free port, what they serve, and the warnings that they give. */
import type { TestContext } from 'node:test';
import { CollectorRegistry } from 'metheus';
import { TqdmPromProxy, type TqdmPromProxyOptions } from 'metheus/progress';
import { get } from '../support/http.js';

/** Options of bars that never draw and never look at the clock: what is served of them is exact. */
export const COUNTED = { disable: true, mininterval: 1e9 } as const;

/** A proxy with nothing beside it unless a registry is given, serving until the test ends. */
export async function serve(t: TestContext, options: TqdmPromProxyOptions = {}): Promise<TqdmPromProxy> {
  const registry = new CollectorRegistry();
  const proxy = new TqdmPromProxy({ httpHost: '127.0.0.1', httpPort: 0, registry, ...options });
  await proxy.start();
  t.after(() => proxy.stop());
  return proxy;
}

/** What the proxy serves. Throws unless it is a 200. */
export async function scrape({ url }: TqdmPromProxy): Promise<string> {
  const { status, body } = await get(url!);
  if (status !== 200) throw new Error(`Status ${status}: ${body}`);
  return body.toString();
}

/** The samples of a text, by name and labels. */
export function samples(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const SAMPLE = /^progress_(\w+)\{bucket="([^"]*)"(?:,unit="([^"]*)")?\} (.*)$/;

/** The default metrics of one bucket without the words that all have: `completed_total B` is that of the unit `B`. */
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

/** The texts of the warnings of this package from now until the test ends. Warnings come a tick after their cause. */
export function listenForWarnings(t: TestContext): string[] {
  const heard: string[] = [];
  const listener = ({ name, message }: Error) => {
    if (name === 'MetheusWarning') heard.push(message);
  };
  process.on('warning', listener);
  t.after(() => process.off('warning', listener));
  return heard;
}
