/** Measures cases one after the other, and tells how it goes. */
import type { Size } from '../case.js';
import { isInstalled } from '../peers.js';
import type { LocatedCase } from './catalog.js';
import { type Result, run } from './run.js';
import type { Runtime } from './runtime.js';

export interface Plan {
  readonly cases: readonly LocatedCase[];
  readonly size: Size;
  /** Clients with the interface of prom-client. */
  readonly peers: readonly string[];
  /** Whether others are compared with at all. */
  readonly withRivals: boolean;
  readonly runtimes: readonly Runtime[];
}

/** @param node - the version that it was measured with, where there are several */
export type Measured = Result & { readonly node?: string };

/**
 * Versions of Node take turns case by case, so that a machine which is slower for a while is it for all of them.
 *
 * One that gives a wrong result, or none, has no number, and the command fails. The others are measured all the same.
 */
export async function measure(plan: Plan): Promise<Measured[]> {
  const measured: Measured[] = [];
  const spent = new Map<string, number>();
  for (const one of plan.cases) {
    for (const peer of implementations(one, plan)) {
      for (const { executable, node } of plan.runtimes) {
        const start = performance.now();
        const version = plan.runtimes.length > 1 ? { node } : {};
        try {
          const result = { ...(await run(one, peer, plan.size, executable)), ...version };
          measured.push(result);
          tell(start, `${one.name}: ${nameOf(result)} ${result.median.toPrecision(3)} ${one.unit}`);
        } catch (error) {
          process.exitCode = 1;
          const { message } = error as Error;
          const reason = /^\w*Error: .*$/m.exec(message)?.[0] ?? message;
          tell(start, `${one.name}: ${nameOf({ peer, ...version })} failed: ${reason}`);
        }
        spent.set(one.group, (spent.get(one.group) ?? 0) + seconds(start));
      }
    }
  }
  const total = [...spent.values()].reduce((sum, time) => sum + time, 0);
  const shares = [...spent].map(([group, time]) => `${group} ${time.toFixed(0)}`);
  console.error(`${total.toFixed(0)} s in all: ${shares.join(', ')}\n`);
  return measured;
}

function implementations({ ours, theirs, rivals = {}, limit, point }: LocatedCase, plan: Plan): string[] {
  // Of a curve, ours alone shows in a hurry how it grows.
  const peers = plan.size.quick && point !== undefined ? [] : plan.peers;
  return [
    ...(limit === undefined ? [] : ['limit']),
    ...(ours === undefined ? [] : ['metheus']),
    ...(theirs === undefined ? [] : peers),
    ...(plan.withRivals ? Object.keys(rivals).filter(isInstalled) : []),
  ];
}

function nameOf({ peer, node }: Pick<Measured, 'peer' | 'node'>): string {
  return node === undefined ? peer : `${peer}, Node ${node},`;
}

function tell(start: number, text: string): void {
  console.error(`${seconds(start).toFixed(1).padStart(6)} s  ${text}`);
}

function seconds(start: number): number {
  return (performance.now() - start) / 1000;
}
