/** Services: many families with few series, as programs have them, cold and warm. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Case, expectEqual, type Subject, type Target, type Unit } from '../case.js';
import { familiesOf, linesOf, type Shape } from '../workload/service.js';
import type { ServiceCosts, ServiceOrder } from './service-process.js';

const PROGRAM = fileURLToPath(new URL('./service-process.js', import.meta.url));
const DIST = fileURLToPath(new URL('../../../dist', import.meta.url));

async function start(shape: Shape, client: string): Promise<ServiceCosts> {
  const order: ServiceOrder = { shape, client, dist: DIST };
  const args = ['--expose-gc', PROGRAM, JSON.stringify(order)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

function serving(shape: Shape, client: string, cost: keyof ServiceCosts): Subject {
  return {
    async check() {
      const { lines } = await start(shape, client);
      expectEqual('lines', lines, linesOf(familiesOf(shape)));
    },
    run: async () => (await start(shape, client))[cost],
  };
}

/** The costs that are measured, with the suffix of the name of their case. */
const COSTS: readonly (readonly [cost: keyof ServiceCosts, name: string, unit: Unit])[] = [
  ['setUp', 'set-up, the client included', 'ms'],
  ['first', 'first scrape', 'ms'],
  ['paused', 'scrape after a pause', 'ms'],
  ['warm', 'scrape', 'ms'],
];

const TYPICAL = 'typical service, 300 families of 1 to 20 series';

/** The goals of the typical service, on every backend. */
const TARGETS: Readonly<Partial<Record<keyof ServiceCosts, Target>>> = {
  setUp: { max: 40 },
  first: { max: 20 },
  warm: { max: 5 },
};

function serviceCase(
  shape: Shape,
  name: string,
  unit: Unit,
  cost: keyof ServiceCosts,
  more: { readonly target?: Target | undefined; readonly hasFiles?: boolean } = {},
): Case {
  const { target, hasFiles = false } = more;
  return {
    group: 'service',
    name,
    unit,
    // Each run is a process.
    slow: true,
    ...((shape !== 'typical' || hasFiles || cost === 'paused') && { quick: false as const }),
    ...(target !== undefined && { target }),
    ours: () => serving(shape, hasFiles ? 'file' : 'metheus', cost),
    ...(!hasFiles && { theirs: (_client, _size, peer) => serving(shape, peer, cost) }),
  };
}

const MANY: readonly (readonly [Shape, string])[] = [
  ['counters', '2,000 counters without labels'],
  ['histograms', '2,000 histograms without labels'],
];

export const CASES: readonly Case[] = [
  ...COSTS.flatMap(([cost, name, unit]) => {
    const target = TARGETS[cost];
    return [
      serviceCase('typical', `${TYPICAL}: ${name}`, unit, cost, { target }),
      serviceCase('typical', `${TYPICAL}: ${name}, file backend`, unit, cost, { target, hasFiles: true }),
    ];
  }),
  ...MANY.flatMap(([shape, name]) => [
    serviceCase(
      shape,
      `${name}: creation`,
      'ms',
      'create',
      shape === 'counters' ? { target: { max: 12 } } : {},
    ),
    serviceCase(shape, `${name}: first scrape`, 'ms', 'first'),
    serviceCase(shape, `${name}: scrape`, 'ms', 'warm', shape === 'counters' ? { target: { max: 4 } } : {}),
    serviceCase(
      shape,
      `${name}: heap and other memory per family`,
      'B',
      'bytes',
      shape === 'counters' ? { target: { max: 700 } } : {},
    ),
  ]),
];
