/**
 * A program whose bars are controlled by commands. The main thread reads them from the keyboard, one JSON object a line,
 * and forwards them to its worker threads and child processes, which run this file too.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, threadId, Worker } from 'node:worker_threads';
import { seriesOf } from 'metheus';
import { type Bar, type BarOptions, progressEnv, TqdmPromProxy, tqdm } from 'metheus/progress';

export type Order =
  | { readonly open: string; readonly options?: BarOptions; readonly published?: boolean }
  | { readonly update: string; readonly by: number }
  | { readonly reset: string }
  | { readonly close: string }
  | { readonly desc: string; readonly text: string }
  | { readonly postfix: string; readonly text: string }
  | { readonly write: string }
  | { readonly log: string }
  | { readonly loop: string; readonly to: number }
  | { readonly touch: string }
  | { readonly blockUntil: string }
  | { readonly scrape: true }
  | { readonly exit: number }
  | { readonly leave: true };

export type Command =
  | { readonly start: 'worker' | 'child' | 'sharing child'; readonly as: string; readonly by?: string }
  | { readonly end: string }
  | { readonly to?: string; readonly order: Order };

/** Makes frames independent of speed. */
const FIXED: BarOptions = { barFormat: '{l_bar}{bar}| {n_fmt}/{total_fmt}{postfix}', mininterval: 0 };

const FILE = fileURLToPath(import.meta.url);
/** Has the same name in all threads. */
const proxy = new TqdmPromProxy({ name: 'controlled-bars' });
const bars = new Map<string, Bar>();
const others = new Map<string, Worker | ChildProcess>();

function perform(order: Order): void {
  if ('open' in order) {
    const { tqdm: make } = order.published === true ? proxy : { tqdm };
    bars.set(order.open, make(null, { desc: order.open, ...FIXED, ...order.options }));
  } else if ('update' in order) bars.get(order.update)!.update(order.by);
  else if ('reset' in order) bars.get(order.reset)!.reset();
  else if ('close' in order) bars.get(order.close)!.close();
  else if ('desc' in order) bars.get(order.desc)!.setDescription(order.text);
  else if ('postfix' in order) bars.get(order.postfix)!.setPostfixStr(order.text);
  else if ('write' in order) tqdm.write(order.write);
  else if ('log' in order) console.log(order.log);
  else if ('loop' in order) for (const _ of tqdm(order.to, { desc: order.loop, ...FIXED }));
  else if ('scrape' in order) void scrape();
  else if ('touch' in order) writeFileSync(order.touch, '');
  else if ('blockUntil' in order) while (!existsSync(order.blockUntil));
  else if ('exit' in order) process.exit(order.exit);
  else if (parentPort !== null) parentPort.close();
  else process.disconnect?.();
}

/** Prints the bars of a scrape, sorted by name. */
async function scrape(): Promise<void> {
  const families = await proxy.collect();
  const valuesOf = (metric: string) => {
    const family = families.find((one) => one.family.name === metric)!;
    return new Map([...seriesOf(family)].map(({ labels, values }) => [labels.bucket!, values[0]!]));
  };
  const expected = valuesOf('progress_expected');
  const completed = [...valuesOf('progress_completed_total')].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [bucket, value] of completed) tqdm.write(`${bucket} ${value} of ${expected.get(bucket)}`);
}

/** Runs or forwards a command: `a/b` is the thread or process `b` that `a` started. */
function execute(command: Command): void {
  const whole = 'start' in command ? (command.by ?? '') : 'end' in command ? '' : (command.to ?? '');
  const [first = '', ...rest] = whole.split('/');
  if (first !== '') {
    const forwarded =
      'start' in command ? { ...command, by: rest.join('/') } : { ...command, to: rest.join('/') };
    const other = others.get(first)!;
    if (other instanceof Worker) other.postMessage(forwarded);
    else other.send(forwarded);
  } else if ('start' in command) {
    others.set(command.as, start(command.start));
  } else if ('end' in command) {
    const other = others.get(command.end)!;
    if (other instanceof Worker) void other.terminate();
    else other.kill('SIGKILL');
  } else perform(command.order);
}

function start(kind: 'worker' | 'child' | 'sharing child'): Worker | ChildProcess {
  if (kind === 'worker') return new Worker(FILE);
  const env = { ...process.env, ...(kind === 'sharing child' && progressEnv()) };
  return fork(FILE, { env, stdio: 'inherit' });
}

if (!isMainThread) parentPort!.on('message', execute);
else if (process.send !== undefined) process.on('message', execute);
else if (threadId === 0 && process.stdin.isTTY) {
  process.stdin.setRawMode(true);
  console.log('ready');
  createInterface({ input: process.stdin }).on('line', (line) => execute(JSON.parse(line)));
}
