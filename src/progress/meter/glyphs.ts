/** The bar itself: its characters, its length and its colour. */

import { MetheusError, show } from '../../errors.js';

/** From empty to full, in eighths of a block. */
const BLOCKS = ' ▏▎▍▌▋▊▉█';
const DIGITS = ' 123456789#';
const BLANK = '  ';
/** Characters by the last letter of a bar's specification: `{bar:10a}`. */
const CHARSETS: Readonly<Record<string, string>> = { a: DIGITS, u: BLOCKS, b: BLANK };

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const COLOUR_RESET = '\u001b[0m';

/** Characters of a bar: `true` for ASCII, `false` for blocks, or the characters themselves from empty to full. */
export type BarCharacters = boolean | string | null;

/** Returns the ANSI sequence that starts a colour, `''` without a colour, and `undefined` for an unknown one. */
export function colourSequence(colour: string | null | undefined): string | undefined {
  if (colour === null || colour === undefined || colour === '') return '';
  const index = COLOURS.indexOf(colour.toLowerCase());
  if (index >= 0) return `\u001b[3${index}m`;
  const rgb = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(colour);
  if (rgb === null) return undefined;
  const [red, green, blue] = rgb.slice(1).map((hex) => Number.parseInt(hex, 16));
  return `\u001b[38;2;${red};${green};${blue}m`;
}

/** A bar before it is formatted by a specification such as `20`, `-10b`, `a` or none. */
export interface BarGlyphs {
  /** From 0 to 1; values outside are drawn as the nearest bound. If unknown, the bar is blank by default. */
  readonly fraction: number | undefined;
  /** Columns if the specification gives none. A negative length in the specification is added to these. */
  readonly length: number;
  readonly characters: BarCharacters | undefined;
  readonly colour: string | null | undefined;
}

function parseBarSpec(
  specification: string,
  defaultLength: number,
): { charset: string | undefined; length: number } {
  const charset = CHARSETS[specification.slice(-1).toLowerCase()];
  const digits = charset === undefined ? specification : specification.slice(0, -1);
  if (digits === '') return { charset, length: defaultLength };
  if (!/^\s*[-+]?\d+\s*$/.test(digits)) {
    throw new MetheusError('METHEUS_INVALID_BAR_FORMAT', {
      given: `the bar specification ${show(specification)}`,
      expected: "a length, one of the letters a, u and b, or both, such as '20', '-10' or '8a'",
    });
  }
  const length = Number(digits);
  return { charset, length: length < 0 ? length + defaultLength : length };
}

/**
 * Returns the characters of a bar, in its colour.
 *
 * @throws `METHEUS_INVALID_BAR_FORMAT` for an invalid specification
 */
export function formatBar(bar: BarGlyphs, specification = ''): string {
  const { charset, length } = parseBarSpec(specification, bar.length);
  const own = bar.characters === true ? DIGITS : bar.characters || BLOCKS;
  const steps = [...(charset ?? (bar.fraction === undefined ? BLANK : own))];
  const perCharacter = steps.length - 1;
  const fraction = Math.min(Math.max(bar.fraction ?? 0, 0), 1);
  const done = Math.trunc(fraction * length * perCharacter);
  // A set of one character has no steps between empty and full, so the bar is always full.
  const full = perCharacter > 0 ? Math.floor(done / perCharacter) : length;
  let text = (steps[perCharacter] ?? '').repeat(Math.max(full, 0));
  if (full < length) {
    text += steps[done - full * perCharacter]! + steps[0]!.repeat(Math.max(length - full - 1, 0));
  }
  const start = colourSequence(bar.colour);
  return start ? start + text + COLOUR_RESET : text;
}
