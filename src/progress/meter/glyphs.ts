/** The bar itself: which characters it is made of, how long it is, and its colour. */

import { MetheusError, show } from '../../errors.js';

/** From empty to full, one character for each step: eighths of a block. */
const BLOCKS = ' ▏▎▍▌▋▊▉█';
const DIGITS = ' 123456789#';
const BLANK = '  ';
/** A bar's format specification may end with one of these: `{bar:10a}`. */
const CHARSET_TYPES: Readonly<Record<string, string>> = { a: DIGITS, u: BLOCKS, b: BLANK };

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const COLOUR_RESET = '\u001b[0m';

/** What a bar is drawn with: `true` for ASCII, `false` for blocks, or characters from empty to full. */
export type BarCharacters = boolean | string | null;

/**
 * The ANSI sequence that starts a colour: a name of the eight, or `#rrggbb`.
 *
 * @returns `''` without a colour, `null` when there is no such colour
 */
export function colourSequence(colour: string | null | undefined): string | null {
  if (colour === null || colour === undefined || colour === '') return '';
  const index = COLOURS.indexOf(colour.toLowerCase());
  if (index >= 0) return `\u001b[3${index}m`;
  const rgb = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(colour);
  if (rgb === null) return null;
  const [red, green, blue] = rgb.slice(1).map((hex) => Number.parseInt(hex, 16));
  return `\u001b[38;2;${red};${green};${blue}m`;
}

/** A bar that can be formatted by a specification such as `20`, `-10b`, `a` or none. */
export interface BarGlyphs {
  /** From 0 to 1; anything outside is drawn as the nearest of them. */
  readonly fraction: number;
  /** Characters, when the specification gives no length; one below zero is counted from here. */
  readonly length: number;
  readonly characters: BarCharacters | undefined;
  readonly colour: string | null | undefined;
  /** Nothing is known about the end: only an explicit set of characters shows. */
  readonly blank?: boolean;
}

function parseBarSpec(
  specification: string,
  usualLength: number,
): { charset: string | null; length: number } {
  const charset = CHARSET_TYPES[specification.slice(-1).toLowerCase()] ?? null;
  const digits = charset === null ? specification : specification.slice(0, -1);
  if (digits === '') return { charset, length: usualLength };
  if (!/^\s*[-+]?\d+\s*$/.test(digits)) {
    throw new MetheusError('METHEUS_INVALID_BAR_FORMAT', {
      given: `the bar specification ${show(specification)}`,
      expected: "a length, one of the letters a, u and b, or both, such as '20', '-10' or '8a'",
    });
  }
  const length = Number(digits);
  return { charset, length: length < 0 ? length + usualLength : length };
}

/** The bar's characters, in its colour. */
export function formatBar(bar: BarGlyphs, specification = ''): string {
  const { charset, length } = parseBarSpec(specification, bar.length);
  const own = bar.characters === true ? DIGITS : bar.characters || BLOCKS;
  const steps = [...(charset ?? (bar.blank === true ? BLANK : own))];
  const perCharacter = steps.length - 1;
  const fraction = Math.min(Math.max(bar.fraction, 0), 1);
  const done = Math.trunc(fraction * length * perCharacter);
  // A set of one character has no steps between empty and full.
  const full = perCharacter > 0 ? Math.floor(done / perCharacter) : length;
  let text = (steps[perCharacter] ?? '').repeat(Math.max(full, 0));
  if (full < length) {
    text += steps[done - full * perCharacter]! + steps[0]!.repeat(Math.max(length - full - 1, 0));
  }
  const start = colourSequence(bar.colour);
  return start ? start + text + COLOUR_RESET : text;
}
