/** Programs of the tests of the screen: `node scenes.js <name>` plays one. Each key that is typed plays on. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BarOptions, tqdm } from 'metheus/progress';

/** Every frame looks the same at any speed. */
const FIXED: BarOptions = { barFormat: '{desc}|{bar}| {n_fmt}/{total_fmt}', mininterval: 0 };
const open = (desc: string, options: BarOptions = {}) => tqdm(null, { desc, total: 2, ...FIXED, ...options });

/** The next key. */
async function key(): Promise<void> {
  process.stdin.resume();
  await once(process.stdin, 'data');
  process.stdin.pause();
}

/** Until signals are listened to, which is when the event loop turns after the first bar was opened. */
const listening = () => sleep(5);

/** Keys that do not matter keep the program alive until it is ended by something else. */
function untilEnded(): void {
  process.stdin.resume();
}

const SCENES: Readonly<Record<string, (argument: string) => unknown>> = {
  async nested() {
    for (const folder of tqdm(['a', 'b'], { desc: 'out', ...FIXED })) {
      for (const _ of tqdm(2, { desc: folder, leave: false, ...FIXED })) await key();
    }
    console.log('done');
  },

  /** Opens bars by capital letters, `leave: false` by `.` before, and closes them by small ones. */
  async order(moves) {
    const bars = new Map<string, ReturnType<typeof open>>();
    let leave = true;
    for (const move of moves) {
      const name = move.toUpperCase();
      if (move === '.') leave = false;
      else if (move === name) {
        bars.set(name, open(name, { leave }));
        leave = true;
      } else {
        const bar = bars.get(name)!;
        bar.update(2);
        bar.close();
      }
      if (move !== '.') await key();
    }
  },

  async many(count) {
    const bars = Array.from({ length: Number(count) }, (_, i) => open(`bar ${i}`));
    await key();
    for (const bar of bars) bar.update(1);
    await key();
    // The even ones, then the odd ones from the last to the first.
    for (const bar of bars.filter((_, i) => i % 2 === 0)) bar.close();
    await key();
    for (const bar of bars.filter((_, i) => i % 2 === 1).reverse()) bar.close();
    await key();
  },

  async logs() {
    const before = process.stdout.write;
    const bars = [open('a'), open('b')];
    console.log('one');
    console.error('two\nand a half');
    await key();
    process.stdout.write('three,');
    bars[0]!.update();
    await key();
    process.stdout.write(' four,');
    await key();
    process.stderr.write(' five\n');
    tqdm.write('six', { end: '' });
    tqdm.write('.');
    await key();
    for (const bar of bars) bar.close();
    console.log(process.stdout.write === before && !Object.hasOwn(process.stdout, 'write'));
  },

  async plain() {
    using _ = open('a', { redirect: false });
    console.log('log');
    await key();
  },

  async external() {
    const bars = [open('a'), open('b')];
    await tqdm.externalWriteMode(async () => {
      process.stdout.write('drawn by others\n');
      bars[0]!.update();
      await key();
    });
    await key();
    for (const bar of bars) bar.close();
  },

  async resize() {
    console.log('before');
    const bars = [open('a'), open('b')];
    await key();
    for (const bar of bars) bar.update();
    await key();
    for (const bar of bars) bar.close();
  },

  /** Never gives the event loop back until there is a new size. */
  busy() {
    const columns = process.stderr.columns;
    for (const _ of tqdm(endless(), { ...FIXED, barFormat: 'busy|{bar}|' })) {
      if (process.stderr.columns !== columns) break;
    }
    console.log('ended');
  },

  async signal() {
    const bar = open('a');
    open('b', { leave: false });
    await listening();
    bar.update();
    untilEnded();
  },

  async handled() {
    const bars = [open('a'), open('b')];
    process.once('SIGINT', async () => {
      console.log('stopping');
      await key();
      for (const bar of bars) bar.close();
      process.exitCode = 3;
    });
    await listening();
    bars[0]!.update();
    await key();
  },

  /** As packages do that want to be told of every end. */
  async counted() {
    const bar = open('a');
    open('b');
    process.on('SIGINT', () => {
      if (process.listenerCount('SIGINT') > 1) return;
      process.removeAllListeners('SIGINT');
      process.kill(process.pid, 'SIGINT');
    });
    await listening();
    bar.update();
    untilEnded();
  },

  exit(code) {
    open('a');
    open('b');
    process.exit(Number(code));
  },

  throw() {
    open('a');
    open('b');
    throw new Error('of the program');
  },

  async taskbar() {
    const bar = open('a', { taskbar: true });
    await key();
    bar.update();
    await key();
    throw new Error('of the program');
  },

  async colour() {
    using bar = open('a', { colour: 'green' });
    bar.update();
    await key();
  },

  /** Draws more than any terminal takes in, and says on another way that it got through. */
  async slow(marker) {
    for (const _ of tqdm(20_000, { ...FIXED, desc: 'slow' }));
    writeFileSync(marker, 'through');
    await key();
    console.log('ended');
  },

  /** Leaves two megabytes, faster than anybody reads, and ends. */
  leaving() {
    for (let i = 0; i < 20; i++) open(`bar ${i} ${'.'.repeat(100_000)}`).close();
  },
};

function* endless(): Generator<number> {
  for (let i = 0; ; i += 1) yield i;
}

const [, , scene = '', argument = ''] = process.argv;
// Nothing that is typed is echoed. Ctrl-C is a signal only where the terminal looks at what is typed.
if (scene !== 'signal' && process.stdin.isTTY) process.stdin.setRawMode(true);
await SCENES[scene]!(argument);
