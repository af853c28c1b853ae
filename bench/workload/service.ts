/** The metrics of services: many families, each with few series. */
import type { PromClient } from '../peers.js';

type Type = 'counter' | 'gauge' | 'histogram';

/** A family of a service. Every series has the labels `route` and `status`; a family of one series has none. */
export interface ServiceFamily {
  readonly type: Type;
  readonly name: string;
  readonly series: number;
  readonly isLabelled: boolean;
}

/** The name of a service's shape. */
export type Shape = 'typical' | 'counters' | 'histograms';

/** Returns the families of a shape: 300 with 1 to 20 series each, or 2,000 with one series without labels. */
export function familiesOf(shape: Shape): ServiceFamily[] {
  if (shape !== 'typical') {
    const type = shape === 'counters' ? 'counter' : 'histogram';
    return Array.from({ length: 2000 }, (_, i) => ({
      type,
      name: nameOf(type, i),
      series: 1,
      isLabelled: false,
    }));
  }
  let seed = 7;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  return Array.from({ length: 300 }, (_, i) => {
    const share = random();
    const type = share < 0.6 ? 'counter' : share < 0.85 ? 'gauge' : 'histogram';
    return { type, name: nameOf(type, i), series: 1 + Math.floor(random() * 20), isLabelled: true };
  });
}

function nameOf(type: Type, i: number): string {
  return { counter: `family_${i}_total`, gauge: `family_${i}`, histogram: `family_${i}_seconds` }[type];
}

const HELP = 'Help text.';
const LABELS = ['route', 'status'] as const;

/** The methods with which children count, those of this package and of other clients. */
interface Child {
  readonly inc?: (by?: number) => void;
  readonly set?: (value: number) => void;
  readonly observe?: (value: number) => void;
}

function count(type: Type, child: Child, i: number): void {
  if (type === 'counter') child.inc!(i + 1);
  else if (type === 'gauge') child.set!(i);
  else child.observe!(i / 10);
}

/** Creates the families with this package, and counts in each series. */
export function countOurs(metheus: typeof import('metheus'), families: readonly ServiceFamily[]): void {
  const create = {
    counter: metheus.createCounter,
    gauge: metheus.createGauge,
    histogram: metheus.createHistogram,
  };
  for (const { type, name, series, isLabelled } of families) {
    if (!isLabelled) count(type, create[type](name, HELP), 0);
    else {
      const metric = create[type](name, HELP, { requiredLabels: LABELS });
      for (let i = 0; i < series; i++) count(type, metric.labels({ route: `/r${i}`, status: '200' }), i);
    }
  }
}

/** The same with another client. */
export function countTheirs(client: PromClient, families: readonly ServiceFamily[]): () => Promise<string> {
  const registry = new client.Registry();
  const create = { counter: client.Counter, gauge: client.Gauge, histogram: client.Histogram };
  for (const { type, name, series, isLabelled } of families) {
    const config = { name, help: HELP, registers: [registry] };
    if (!isLabelled) count(type, new create[type](config), 0);
    else {
      const metric = new create[type]({ ...config, labelNames: LABELS });
      for (let i = 0; i < series; i++) count(type, metric.labels({ route: `/r${i}`, status: '200' }), i);
    }
  }
  return () => registry.metrics();
}

/** The number of sample lines that an exposition of these families has, without metrics of the client itself. */
export function linesOf(families: readonly ServiceFamily[]): number {
  return families.reduce((sum, { type, series }) => sum + series * (type === 'histogram' ? 14 : 1), 0);
}
