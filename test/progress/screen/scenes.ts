/** Programs for tests of the screen: `node scenes.js <name>` runs one, and each typed key continues it. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BarOptions, tqdm } from 'metheus/progress';

/** Options of bars whose frames do not depend on the speed. */
const FIXED: BarOptions = { barFormat: '{desc}|{bar}| {n_fmt}/{total_fmt}', mininterval: 0 };
const openBar = (desc: string, options: BarOptions = {}) =>
  tqdm(null, { desc, total: 2, ...FIXED, ...options });

/** Waits until a key is typed. */
async function nextKey(): Promise<void> {
  process.stdin.resume();
  await once(process.stdin, 'data');
  process.stdin.pause();
}

/** Waits until signals are handled: one turn of the event loop after the first bar was opened. */
const signalsAreHandled = () => sleep(5);

/** Keeps the program alive until a signal ends it. */
function stayAlive(): void {
  process.stdin.resume();
}

const SCENES: Readonly<Record<string, (argument: string) => unknown>> = {
  async nested() {
    for (const folder of tqdm(['a', 'b'], { desc: 'out', ...FIXED })) {
      for (const _ of tqdm(2, { desc: folder, leave: false, ...FIXED })) await nextKey();
    }
    console.log('done');
  },

  /** Opens a bar for each capital letter, with `leave: false` after a `.`, and closes it for the small letter. */
  async order(moves) {
    const bars = new Map<string, ReturnType<typeof openBar>>();
    let leave = true;
    for (const move of moves) {
      const name = move.toUpperCase();
      if (move === '.') leave = false;
      else if (move === name) {
        bars.set(name, openBar(name, { leave }));
        leave = true;
      } else {
        const bar = bars.get(name)!;
        bar.update(2);
        bar.close();
      }
      if (move !== '.') await nextKey();
    }
  },

  async many(count) {
    const bars = Array.from({ length: Number(count) }, (_, i) => openBar(`bar ${i}`));
    await nextKey();
    for (const bar of bars) bar.update(1);
    await nextKey();
    // First the bars with even indexes, then those with odd ones in reverse order.
    for (const bar of bars.filter((_, i) => i % 2 === 0)) bar.close();
    await nextKey();
    for (const bar of bars.filter((_, i) => i % 2 === 1).reverse()) bar.close();
    await nextKey();
  },

  async logs() {
    const before = process.stdout.write;
    const bars = [openBar('a'), openBar('b')];
    console.log('one');
    console.error('two\nand a half');
    await nextKey();
    process.stdout.write('three,');
    bars[0]!.update();
    await nextKey();
    process.stdout.write(' four,');
    await nextKey();
    process.stderr.write(' five\n');
    tqdm.write('six', { end: '' });
    tqdm.write('.');
    await nextKey();
    for (const bar of bars) bar.close();
    console.log(process.stdout.write === before && !Object.hasOwn(process.stdout, 'write'));
  },

  async plain() {
    using _ = openBar('a', { redirect: false });
    console.log('log');
    await nextKey();
  },

  async external() {
    const bars = [openBar('a'), openBar('b')];
    await tqdm.externalWriteMode(async () => {
      process.stdout.write('drawn by others\n');
      bars[0]!.update();
      await nextKey();
    });
    await nextKey();
    for (const bar of bars) bar.close();
  },

  async resize() {
    console.log('before');
    const bars = [openBar('a'), openBar('b')];
    await nextKey();
    for (const bar of bars) bar.update();
    await nextKey();
    for (const bar of bars) bar.close();
  },

  /** Blocks the event loop until the terminal has a new size. */
  busy() {
    const columns = process.stderr.columns;
    for (const _ of tqdm(endless(), { ...FIXED, barFormat: 'busy|{bar}|' })) {
      if (process.stderr.columns !== columns) break;
    }
    console.log('ended');
  },

  /** Updates one of three bars, and reads nothing that is typed. */
  async typing() {
    const bars = ['a', 'b', 'c'].map((desc) => openBar(desc));
    for (;;) {
      await sleep(20);
      bars[2]!.update(bars[2]!.n === 1 ? -1 : 1);
    }
  },

  /** Blocks the event loop with two bars. */
  blocked() {
    openBar('a');
    for (const _ of tqdm(endless(), { ...FIXED, barFormat: 'b|{bar}|' }));
  },

  async signal() {
    const bar = openBar('a');
    openBar('b', { leave: false });
    await signalsAreHandled();
    bar.update();
    stayAlive();
  },

  async handled() {
    const bars = [openBar('a'), openBar('b')];
    process.once('SIGINT', async () => {
      console.log('stopping');
      await nextKey();
      for (const bar of bars) bar.close();
      process.exitCode = 3;
    });
    await signalsAreHandled();
    bars[0]!.update();
    await nextKey();
  },

  /** Handles SIGINT as packages such as `signal-exit` do: only when no other listener is left. */
  async soleListener() {
    const bar = openBar('a');
    openBar('b');
    process.on('SIGINT', () => {
      if (process.listenerCount('SIGINT') > 1) return;
      process.removeAllListeners('SIGINT');
      process.kill(process.pid, 'SIGINT');
    });
    await signalsAreHandled();
    bar.update();
    stayAlive();
  },

  exit(code) {
    openBar('a');
    openBar('b');
    process.exit(Number(code));
  },

  exitInLoop(code) {
    for (const i of tqdm(100, { barFormat: '{desc}|{bar}| {n_fmt}/{total_fmt}', mininterval: 1000 })) {
      if (i === 57) process.exit(Number(code));
    }
  },

  throw() {
    openBar('a');
    openBar('b');
    throw new Error('of the program');
  },

  async taskbar() {
    const bar = openBar('a', { taskbar: true });
    await nextKey();
    bar.update();
    await nextKey();
    throw new Error('of the program');
  },

  async colour() {
    using bar = openBar('a', { colour: 'green' });
    bar.update();
    await nextKey();
  },

  /** Draws more than the buffer of a terminal holds, and writes a file when it has finished. */
  async slow(marker) {
    for (const _ of tqdm(20_000, { ...FIXED, desc: 'slow' }));
    writeFileSync(marker, 'finished');
    await nextKey();
    console.log('ended');
  },

  /** Writes two megabytes of last frames, and ends at once. */
  twoMegabytes() {
    for (let i = 0; i < 20; i++) openBar(`bar ${i} ${'.'.repeat(100_000)}`).close();
  },
};

function* endless(): Generator<number> {
  for (let i = 0; ; i += 1) yield i;
}

const [, , scene = '', argument = ''] = process.argv;
// In raw mode typed keys are not echoed; Ctrl-C becomes a signal only outside of it.
if (!['signal', 'typing', 'blocked'].includes(scene) && process.stdin.isTTY) process.stdin.setRawMode(true);
await SCENES[scene]!(argument);
