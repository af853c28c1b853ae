/** Measures cases one after the other, and prints the progress. */
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
  /** Whether other packages are measured too. */
  readonly withRivals: boolean;
  readonly runtimes: readonly Runtime[];
}

/** @param node - the version of Node, where several are measured */
export type Measured = Result & { readonly node?: string };

/**
 * Measures every implementation of every case. Versions of Node alternate case by case, so that a slow phase
 * of the machine affects all of them.
 *
 * An implementation that fails or returns a wrong result gets no number, the rest is measured, and the exit
 * code is 1.
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
          logProgress(start, `${one.name}: ${nameOf(result)} ${result.median.toPrecision(3)} ${one.unit}`);
        } catch (error) {
          process.exitCode = 1;
          const { message } = error as Error;
          const reason = /^\w*Error: .*$/m.exec(message)?.[0] ?? message;
          logProgress(start, `${one.name}: ${nameOf({ peer, ...version })} failed: ${reason}`);
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
  // With `--quick` a curve has points of our implementation only.
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

function logProgress(start: number, text: string): void {
  console.error(`${seconds(start).toFixed(1).padStart(6)} s  ${text}`);
}

function seconds(start: number): number {
  return (performance.now() - start) / 1000;
}
