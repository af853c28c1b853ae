/** Output while bars are open: apart from the bars, the screen must be the same as without bars. */
import assert from 'node:assert/strict';
import { clearLine, createInterface, cursorTo, moveCursor } from 'node:readline';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Bar } from '#metheus/progress/bar/bar.js';
import { LiveBars } from '#metheus/progress/screen/live-bars.js';
import { FakeClock, fakeTqdm } from '../fakes.js';
import { type EmulatedFile, EmulatedScreen, type Picture } from './emulated-file.js';

// A fixed seed generates the same cases in every run.
fc.configureGlobal({ seed: 20_261_127 });

const SIZE = { columns: 20, rows: 30 };
const ESC = '\u001b';

interface Streams {
  readonly stdout: EmulatedFile;
  readonly stderr: EmulatedFile;
}

/** The output of a program: a function that writes to the streams. */
type Output = (streams: Streams) => unknown;

/** Text whose cells show in which state the program left the terminal: attributes, link and character set. */
const PROBE = 'probe\nq';

function open(screen: EmulatedScreen) {
  const { tqdm, clock } = fakeTqdm({ ...screen, live: new LiveBars(), clock: new FakeClock() });
  let opened = 0;
  const openBar = (leave: boolean) =>
    tqdm(null, { desc: `bar ${opened++}: `, barFormat: '{desc}{n}', leave });
  return { openBar, tqdm, clock };
}

/** Returns the picture after the output and the end of the bars. */
async function pictureWithBars(output: Output, leave = false): Promise<Picture> {
  const screen = new EmulatedScreen(SIZE);
  const { openBar } = open(screen);
  const bars = [openBar(leave), openBar(leave)];
  await output(screen);
  for (const bar of bars) bar.close();
  screen.stdout.write(PROBE);
  return withoutBars(await screen.picture());
}

async function pictureWithout(output: Output): Promise<Picture> {
  const screen = new EmulatedScreen(SIZE);
  await output(screen);
  screen.stdout.write(PROBE);
  return screen.picture();
}

/** Returns the picture without the rows of bars. */
function withoutBars({ rows, cursor }: Picture): Picture {
  const isBar = (row: string) => /^bar \d+: \d+$/.test(row);
  const above = rows.slice(0, cursor.row).filter(isBar).length;
  return { rows: rows.filter((row) => !isBar(row)), cursor: { ...cursor, row: cursor.row - above } };
}

/** Returns the bytes of text, one by one. */
const bytesOf = (text: string) => [...Buffer.from(text)].map((byte) => Uint8Array.of(byte));

const CASES: Readonly<Record<string, Output>> = {
  'a whole line': ({ stdout }) => stdout.write('one\n'),
  'several lines at once': ({ stdout }) => stdout.write('one\n\ntwo\r\nthree\n'),
  'a line in parts': ({ stdout }) => ['one', ' and', ' two\n', 'three'].map((text) => stdout.write(text)),
  'both streams in turns'({ stdout, stderr }) {
    stdout.write('out ');
    stderr.write('err ');
    stdout.write('out\n');
    stderr.write('err');
  },
  'a console': ({ stdout, stderr }) => {
    const log = new console.Console(stdout, stderr);
    log.group('group');
    log.table([{ a: 1 }]);
    log.error('error %d', 1);
  },
  'a spinner that starts its line over': ({ stdout }) =>
    ['| working', '\r/ still', '\r-', '\r\\ ready'].map((text) => stdout.write(text)),
  'a spinner that erases its line': ({ stdout }) =>
    ['⠋ one', `\r${ESC}[K⠙ two`, `\r${ESC}[2K⠹ 3`].map((text) => stdout.write(text)),
  'functions of readline'({ stdout }) {
    stdout.write('question');
    moveCursor(stdout, -4, 0);
    clearLine(stdout, 1);
    stdout.write('x');
    cursorTo(stdout, 2);
    stdout.write('Y');
  },
  async 'a prompt of readline'({ stdout }) {
    const input = new PassThrough();
    const prompt = createInterface({ input, output: stdout, terminal: true, prompt: 'name> ' });
    prompt.prompt();
    for (const key of ['a', 'l', 'x', `${ESC}[D`, '\u007f', 'd', `${ESC}[H`, `${ESC}[F`, 'é'])
      input.write(key);
    await new Promise(setImmediate);
    input.write('\r');
    prompt.prompt();
    input.write('a name that is wider than the terminal');
    await new Promise(setImmediate);
    prompt.close();
  },
  'a character in two writes': ({ stdout }) => bytesOf('→ 漢字 é\n→').map((byte) => stdout.write(byte)),
  'a sequence in two writes': ({ stdout }) =>
    [`a${ESC}`, '[3', '1', 'mred', `${ESC}[`, '0m plain'].map((text) => stdout.write(text)),
  'a sequence in writes to both streams'({ stdout, stderr }) {
    for (const [i, byte] of bytesOf(`${ESC}[1mbold${ESC}[22m`).entries())
      (i % 2 ? stdout : stderr).write(byte);
  },
  'a link in parts': ({ stdout }) =>
    [`${ESC}]8;;https://example`, `.org${ESC}`, '\\text', '\nmore', `${ESC}]8;;`, '\u0007 end'].map((text) =>
      stdout.write(text),
    ),
  'a title in parts': ({ stdout }) => [`a${ESC}]0;ti`, 'tle\u0007b'].map((text) => stdout.write(text)),
  'a colour that stays on': ({ stdout }) =>
    [`${ESC}[31mred\n`, 'red', ' red\n'].map((text) => stdout.write(text)),
  'attributes of all kinds': ({ stdout }) =>
    ['1;3;4;38;5;208', '22;48;2;1;2;3', '39;9', '7', '24;29;4:3', '27;91;107'].map((codes) =>
      stdout.write(`${ESC}[${codes}m${codes[0]}`),
    ),
  'an erased background': ({ stdout }) =>
    [`${ESC}[44mab`, `${ESC}[K`, `\u0008${ESC}[1K`, 'c', `${ESC}[0m`, '\r', 'd'].map((text) =>
      stdout.write(text),
    ),
  tabs: ({ stdout }) => ['a\tb', '\tc', '\td', '\te\n', '\t'].map((text) => stdout.write(text)),
  backspaces: ({ stdout }) => ['abc', '\b', '\bX', '\b\b\b\b\b', 'Y'].map((text) => stdout.write(text)),
  'a hidden cursor': ({ stdout }) =>
    [`${ESC}[?25l`, 'text\n', 'more', `${ESC}[?25h`].map((text) => stdout.write(text)),
  'corked writes'({ stdout }) {
    stdout.cork();
    stdout.write('one\n');
    stdout.write('two');
    stdout.uncork();
  },
  'other encodings'({ stdout }) {
    stdout.write('636166c3a9', 'hex');
    stdout.write('caf\u00e9 ', 'utf8');
    stdout.write('4oKs', 'base64');
    stdout.write(new Uint8Array([0xe2, 0x82]));
    stdout.write('ac20', 'hex');
  },
  'a stream that is piped': async ({ stdout }) => {
    const source = new PassThrough();
    source.pipe(stdout, { end: false });
    source.write('piped ');
    source.end('text');
    await new Promise(setImmediate);
  },
  'callbacks of writes': ({ stdout }) =>
    new Promise<void>((resolve) => {
      stdout.write(Uint8Array.of(0xc3), () => stdout.write(Uint8Array.of(0xa9), () => resolve()));
    }),
  'text up to the edge'({ stdout }) {
    stdout.write('x'.repeat(SIZE.columns));
    stdout.write('y');
    stdout.write('\nz'.padEnd(SIZE.columns + 1, 'z'));
    stdout.write('\r');
    stdout.write('!');
  },
  'a line of several rows': ({ stdout }) =>
    ['a'.repeat(50), 'b'.repeat(25), '\rc', '\n', 'd'.repeat(45)].map((text) => stdout.write(text)),
  'wide characters at the edge': ({ stdout }) =>
    ['漢'.repeat(9), 'x', '漢', '字', '\b\b'].map((text) => stdout.write(text)),
  'wide characters that are overwritten': ({ stdout }) =>
    ['漢字漢字', '\b\b\bx', '\r y', '\t', 'z'].map((text) => stdout.write(text)),
  'a combining mark in a separate write': ({ stdout }) =>
    ['cafe', '\u0301', ' o', '\u0308'].map((text) => stdout.write(text)),
  'characters whose width is not certain': ({ stdout }) =>
    ['👩‍💻 ', '🏳️‍🌈', ' ok', '\b', '!'].map((text) => stdout.write(text)),
  'lines that are written again': ({ stdout }) =>
    ['a\nb\nc\n', `${ESC}[2A`, `${ESC}[2K\rB`, `${ESC}[1B`, '\r', 'C', `${ESC}[1E`, 'end'].map((text) =>
      stdout.write(text),
    ),
  'a block that is erased and written again': ({ stdout }) =>
    ['a\nb\n', `${ESC}[2K${ESC}[1A${ESC}[2K${ESC}[1A${ESC}[2K${ESC}[G`, 'A\nB\n'].map((text) =>
      stdout.write(text),
    ),
  'inserted and deleted characters': ({ stdout }) =>
    ['abcdef', '\b\b\b', `${ESC}[2@`, 'x', `${ESC}[2P`, `${ESC}[1X`, `${ESC}[3C`, 'y'].map((text) =>
      stdout.write(text),
    ),
  'text that is not wrapped': ({ stdout }) =>
    [`${ESC}[?7l`, 'x'.repeat(30), 'y', '\nz', `${ESC}[?7h`, '!'].map((text) => stdout.write(text)),
  'another character set': ({ stdout }) =>
    [`${ESC}(0`, 'qqx', 'q\n', 'q', `${ESC}(B`, 'q'].map((text) => stdout.write(text)),
  'the beginning of a sequence, and no more': ({ stdout }) => stdout.write(`text${ESC}[3`),
};

describe('output while bars are open', () => {
  for (const [name, output] of Object.entries(CASES)) {
    it(`is the same as without bars: ${name}`, async () => {
      const expected = await pictureWithout(output);
      assert.deepEqual(await pictureWithBars(output), expected);
      // The last lines of bars are drawn above an unfinished line of the program.
      assert.deepEqual(await pictureWithBars(output, true), expected);
    });
  }
});

describe('an unfinished line', () => {
  it('that was written before the first bar stays above the bars', async () => {
    const screen = new EmulatedScreen(SIZE);
    const { openBar, tqdm } = open(screen);
    using _ = tqdm.redirect();
    screen.stdout.write(`${ESC}[31mname:${ESC}[0m `);
    const bar = openBar(true);
    assert.deepEqual(await screen.lines(), ['name:', 'bar 0: 0']);
    screen.stderr.write('x');
    bar.close();
    screen.stdout.write('yz\n');
    assert.deepEqual(await screen.lines(), ['bar 0: 0', 'name: xyz']);
  });

  it('of externalWriteMode stays above the bars', async () => {
    const screen = new EmulatedScreen(SIZE);
    const { openBar, tqdm } = open(screen);
    using _ = openBar(false);
    tqdm.externalWriteMode(() => screen.stdout.write('half'));
    screen.stdout.write(' whole\n');
    assert.deepEqual(await screen.lines(), ['half whole', 'bar 0: 0']);
  });

  it('continues at its end after a change of the width', async () => {
    const screen = new EmulatedScreen(SIZE);
    const { openBar } = open(screen);
    using _ = openBar(false);
    screen.stdout.write('0123456789'.repeat(3));
    await screen.resize(16, SIZE.rows);
    screen.stdout.write('abc');
    assert.deepEqual(await screen.lines(), ['0123456789012345', '67890123456789ab', 'c', 'bar 0: 0']);
    await screen.resize(40, SIZE.rows);
    screen.stdout.write('d\b!');
    assert.deepEqual(await screen.lines(), ['012345678901234567890123456789abc!', 'bar 0: 0']);
  });

  it('that is higher than the screen is ended by the last line of a bar', async () => {
    const screen = new EmulatedScreen({ columns: 10, rows: 4 });
    const { openBar } = open(screen);
    const bar = openBar(true);
    screen.stdout.write('x'.repeat(45));
    bar.close();
    screen.stdout.write('y');
    const rows = Array.from({ length: 4 }, () => 'x'.repeat(10));
    assert.deepEqual(await screen.lines(), [...rows, 'xxxxx', 'bar 0: 0', 'y']);
  });
});

const text = fc.constantFrom(
  'a',
  'some text ',
  'word',
  '漢字',
  'é',
  'e\u0301',
  ' '.repeat(7),
  'x'.repeat(23),
);
const attributes = fc.constantFrom(
  '0',
  '',
  '1',
  '31',
  '38;5;99',
  '48;2;9;8;7',
  '22',
  '39',
  '4',
  '24',
  '49',
  '7',
  '27',
);
const piece = fc.oneof(
  { weight: 6, arbitrary: text },
  attributes.map((codes) => `${ESC}[${codes}m`),
  fc.constantFrom(`${ESC}]8;;https://a.example${ESC}\\`, `${ESC}]8;;\u0007`, `${ESC}]0;title\u0007`),
  fc.constantFrom('\r', '\t', '\b', '\b\b', '\n', '\r\n'),
  fc.constantFrom(`${ESC}[K`, `${ESC}[1K`, `${ESC}[2K`, `${ESC}[?25l`),
);

/** A step of the program: bytes written to one of the streams, or a change of its bars. */
type Step =
  | { readonly bytes: Uint8Array; readonly stream: 'stdout' | 'stderr' }
  | { readonly bars: 'open' | 'update' | 'close'; readonly which: number; readonly leave: boolean };

const barStep = fc.record({
  bars: fc.constantFrom('open' as const, 'update' as const, 'update' as const, 'close' as const),
  which: fc.nat(5),
  leave: fc.boolean(),
});

/** Writes of random pieces of text, whose bytes are divided at random places. */
const writes = fc
  .tuple(
    fc.array(piece, { minLength: 1, maxLength: 25 }),
    fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
    fc.infiniteStream(fc.constantFrom('stdout' as const, 'stderr' as const)),
  )
  .map(([pieces, lengths, streams]) => {
    const bytes = Buffer.from(pieces.join(''));
    const steps: Step[] = [];
    for (let start = 0; start < bytes.length; ) {
      const end = start + lengths.next().value!;
      steps.push({ bytes: bytes.subarray(start, end), stream: streams.next().value! });
      start = end;
    }
    return steps;
  });

const program = fc.tuple(writes, fc.infiniteStream(fc.option(barStep, { freq: 2 }))).map(([steps, others]) =>
  steps.flatMap((step): Step[] => {
    const other = others.next().value!;
    return other === null ? [step] : [step, other];
  }),
);

describe('random output while bars are open', () => {
  it('is the same as without bars', async () => {
    await fc.assert(
      fc.asyncProperty(program, async (steps) => {
        const output = ({ stdout, stderr }: Streams, onBars: (step: Step) => void = () => {}) => {
          for (const step of steps) {
            if ('bars' in step) onBars(step);
            else (step.stream === 'stdout' ? stdout : stderr).write(step.bytes);
          }
          stdout.write(PROBE);
        };
        const plain = new EmulatedScreen(SIZE);
        output(plain);
        const screen = new EmulatedScreen(SIZE);
        const { openBar, clock } = open(screen);
        const bars: Bar[] = [openBar(false)];
        output(screen, (step) => {
          if (!('bars' in step)) return;
          clock.tick(1);
          const bar = bars[step.which];
          if (bar === undefined || step.bars === 'open') bars.push(openBar(step.leave));
          else if (step.bars === 'update' || bars.length === 1) bar.update();
          else {
            bar.close();
            bars.splice(step.which, 1);
          }
        });
        for (const bar of bars) bar.close();
        assert.deepEqual(withoutBars(await screen.picture()), await plain.picture());
      }),
      { numRuns: 150 },
    );
  });
});
