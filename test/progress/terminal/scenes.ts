/** Programs of the tests of the screen: `node scenes.js <name>` plays one. */
import { once } from 'node:events';
import { tqdm } from 'metheus/progress';

/** Every frame looks the same at any speed. */
const FIXED = { barFormat: '{l_bar}{bar}| {n_fmt}/{total_fmt}', mininterval: 0 } as const;

/** The next key. Nothing that is typed is echoed. */
async function key(): Promise<string> {
  process.stdin.setRawMode(true).resume();
  const [typed] = (await once(process.stdin, 'data')) as [Buffer];
  process.stdin.pause();
  return typed.toString();
}

const SCENES: Readonly<Record<string, () => unknown>> = {
  async nested() {
    for (const folder of tqdm(['a', 'b'], { desc: 'folders', ...FIXED })) {
      for (const _ of tqdm(2, { desc: folder, leave: false, ...FIXED })) await key();
    }
    console.log('done');
  },
};

await SCENES[process.argv[2]!]!();
