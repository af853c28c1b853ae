/** The screen after each step, with more bars than rows, opened, updated and closed in random order. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import xterm from '@xterm/headless';
import fc from 'fast-check';
import type { Bar } from '#metheus/progress/bar/bar.js';
import { fakeTqdm } from '../fakes.js';

// The same cases in every run.
fc.configureGlobal({ seed: 20_241_121 });

const ROWS = 5;

/** Returns a file that an emulated terminal shows, and a function that reads the lines on its screen. */
function emulatedScreen() {
  const terminal = new xterm.Terminal({ cols: 20, rows: ROWS, allowProposedApi: true, convertEol: true });
  const file = Object.assign(new EventEmitter(), {
    isTTY: true,
    columns: 20,
    rows: ROWS,
    write(text: string) {
      terminal.write(text);
      return true;
    },
  });
  async function lines(): Promise<string[]> {
    await new Promise<void>((resolve) => terminal.write('', resolve));
    const { active } = terminal.buffer;
    return Array.from({ length: ROWS }, (_, row) =>
      active
        .getLine(active.baseY + row)!
        .translateToString()
        .trimEnd(),
    );
  }
  return { file, lines };
}

/** Returns the expected lines: each bar in its row, and a note in the last row when bars are hidden. */
function expectedLines(bars: readonly Bar[]): string[] {
  const rows = Array.from({ length: ROWS }, () => '');
  for (const bar of bars) {
    if (bar.position < ROWS - 1) rows[bar.position] = bar.toString();
    else rows[ROWS - 1] = ' ... (more hidden) .';
  }
  return rows;
}

describe('more bars than rows', () => {
  it('stand in their rows after every step', async () => {
    const step = fc.tuple(fc.constantFrom('open', 'open', 'update', 'close'), fc.nat(20));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const { tqdm, clock } = fakeTqdm();
        const { file, lines } = emulatedScreen();
        const bars: Bar[] = [];
        let opened = 0;
        for (const [what, which] of steps) {
          const bar = bars[which % bars.length];
          clock.tick(1);
          if (what === 'open' || bar === undefined) {
            const options = {
              file,
              nrows: ROWS,
              desc: `bar ${opened++} `,
              barFormat: '{desc}{n}',
              leave: false,
            };
            bars.push(tqdm(null, options));
          } else if (what === 'update') {
            bar.update();
          } else {
            bar.close();
            bars.splice(bars.indexOf(bar), 1);
          }
          assert.deepEqual(await lines(), expectedLines(bars));
        }
        for (const bar of bars) bar.close();
      }),
      { numRuns: 60 },
    );
  });
});
