/**
 * Runs the operations of a `sim` vector on bars with a fake clock and a fake file. Generated vectors have two more
 * operations: `set` assigns an attribute, `display` calls the method.
 */

import type { Bar } from '#metheus/progress/bar/bar.js';
import type { BarOptions } from '#metheus/progress/bar/bar-options.js';
import type { IterableBar } from '#metheus/progress/sources/iterable-bar.js';
import { FakeFile, fakeTqdm } from '../fakes.js';

type Op = readonly [string, ...unknown[]];

export interface Simulation {
  readonly tty: boolean;
  readonly ops: readonly Op[];
}

interface Iterated {
  readonly count: number;
  readonly len: boolean;
}

/** Renames Python's arguments to camelCase, and turns `"inf"` into infinity. */
export function camelCaseKeys(args: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(args).map(([key, value]) => [
    key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    value === 'inf' ? Number.POSITIVE_INFINITY : value,
  ]);
  return Object.fromEntries(entries);
}

function* generate(count: number): Generator<number> {
  for (let i = 0; i < count; i += 1) yield i;
}

/** Returns the text written during each operation. */
export function runSimulation({ tty, ops }: Simulation): string[] {
  const { tqdm, clock } = fakeTqdm();
  const file = new FakeFile(tty);
  const bars = new Map<unknown, Bar>();

  function open(kwargs: Record<string, unknown>): Bar {
    const { iterable, ...options } = camelCaseKeys(kwargs) as BarOptions & { iterable?: Iterated };
    if (iterable === undefined) return tqdm(null, { ...options, file });
    const { count, len } = iterable;
    return tqdm(len ? [...generate(count)] : generate(count), { ...options, file });
  }

  function loop(bar: Bar, bodies: readonly (readonly Op[])[], stop: number | null): void {
    let round = 0;
    for (const _ of bar as IterableBar<number>) {
      for (const op of bodies[round] ?? []) run(op);
      round += 1;
      if (round === stop) break;
    }
  }

  function run([name, id, ...rest]: Op): void {
    const bar = bars.get(id)!;
    switch (name) {
      case 'new':
        bars.set(id, open(rest[0] as Record<string, unknown>));
        break;
      case 'tick':
        clock.tick(id as number);
        break;
      case 'update':
        bar.update(rest[0] as number);
        break;
      case 'refresh':
        bar.refresh();
        break;
      case 'clear':
        bar.clear();
        break;
      case 'unpause':
        bar.unpause();
        break;
      case 'close':
        bar.close();
        break;
      case 'reset':
        bar.reset(rest[0] as number | null);
        break;
      case 'set_description':
        bar.setDescription(rest[0] as string | null, rest[1] as boolean);
        break;
      case 'set_description_str':
        bar.setDescriptionStr(rest[0] as string | null, rest[1] as boolean);
        break;
      case 'set_postfix':
        bar.setPostfix(rest[0] as [string, unknown][], rest[1] as boolean);
        break;
      case 'set_postfix_str':
        bar.setPostfixStr(rest[0] as string, rest[1] as boolean);
        break;
      case 'set':
        Object.assign(bar, camelCaseKeys({ [rest[0] as string]: rest[1] }));
        break;
      case 'display':
        bar.display((rest[0] as string | null) ?? undefined, (rest[1] as number | null) ?? undefined);
        break;
      case 'set_n':
        bar.n = rest[0] as number;
        break;
      case 'set_total':
        bar.total = rest[0] as number | null;
        break;
      case 'write':
        tqdm.write(id as string, { file, end: rest[0] as string });
        break;
      case 'loop':
        loop(bar, rest[0] as readonly (readonly Op[])[], rest[2] as number | null);
        break;
      default:
        throw new Error(`unknown operation ${name}`);
    }
  }

  const written = ops.map((op) => {
    run(op);
    return file.take();
  });
  for (const bar of bars.values()) bar.close();
  return written;
}
