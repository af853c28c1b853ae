/** What a bar on a board looks like: all that its line is made of besides numbers. */

import type { ResolvedBarOptions } from '../bar/bar-options.js';
import { plainPostfix } from '../meter/postfix.js';
import type { OutputFile } from '../screen/terminal.js';

/** Texts and options, as a bar's drawer is told them. Plain data: it travels as JSON. */
export type BarLook = Pick<
  ResolvedBarOptions,
  | 'desc'
  | 'postfix'
  | 'colour'
  | 'leave'
  | 'disable'
  | 'unit'
  | 'unitScale'
  | 'unitDivisor'
  | 'ascii'
  | 'barFormat'
  | 'initial'
  | 'mininterval'
  | 'ncols'
  | 'nrows'
  | 'dynamicNcols'
  | 'position'
  | 'output'
  | 'redirect'
  | 'taskbar'
> & {
  /** Did the bar name a standard stream as its file? */
  readonly stream: Stream | null;
};

/** The output of a thread that its drawer shares with it. */
export type Stream = 'stderr' | 'stdout';

/** Which stream a file is: `null` when none was named, undefined for a file of the user's own. */
export function standardStream(
  file: OutputFile | null,
  streams: { readonly stdout: OutputFile; readonly stderr: OutputFile },
): Stream | null | undefined {
  if (file === null) return null;
  if (file === streams.stderr) return 'stderr';
  return file === streams.stdout ? 'stdout' : undefined;
}

/** What may change while a bar runs. */
type Changing = Pick<
  ResolvedBarOptions,
  'desc' | 'postfix' | 'colour' | 'leave' | 'unit' | 'unitScale' | 'unitDivisor' | 'ascii' | 'barFormat'
>;

/** The look of a bar now. */
export function lookOf(bar: Changing, options: ResolvedBarOptions, stream: Stream | null): BarLook {
  const { desc, postfix, colour, leave, unit, unitScale, unitDivisor, ascii, barFormat } = bar;
  const { initial, mininterval, ncols, nrows, dynamicNcols, position } = options;
  const { disable, output, redirect, taskbar } = options;
  const line = { desc, postfix, colour, unit, unitScale, unitDivisor, ascii, barFormat, initial };
  const place = { ncols, nrows, dynamicNcols, position, leave, mininterval };
  return { ...line, ...place, disable, output, redirect, taskbar, stream };
}

/** Are two looks of one bar the same? */
export function isSameLook(a: BarLook, b: BarLook): boolean {
  return (
    a.desc === b.desc &&
    a.postfix === b.postfix &&
    typeof a.postfix !== 'object' &&
    a.colour === b.colour &&
    a.leave === b.leave &&
    a.unit === b.unit &&
    a.unitScale === b.unitScale &&
    a.unitDivisor === b.unitDivisor &&
    a.ascii === b.ascii &&
    a.barFormat === b.barFormat
  );
}

const encoder = new TextEncoder();

/** Lengths that texts are cut to, one after the other, until the look fits. */
const LIMITS = [Number.POSITIVE_INFINITY, 400, 100, 20, 0];

/**
 * The look as bytes, at most `capacity` of them. Texts that are longer than any screen is wide are cut, and a format
 * is left out whole.
 */
export function encodeLook(given: BarLook, capacity: number): Uint8Array {
  const look = { ...given, postfix: plainPostfix(given.postfix) };
  let bytes = new Uint8Array();
  for (const limit of LIMITS) {
    bytes = encoder.encode(JSON.stringify(limit === Number.POSITIVE_INFINITY ? look : cut(look, limit)));
    if (bytes.length <= capacity) break;
  }
  return bytes;
}

function cut(look: BarLook, limit: number): BarLook {
  const { postfix, ascii, barFormat } = look;
  const short = (text: string) => text.slice(0, limit);
  return {
    ...look,
    desc: short(look.desc),
    unit: short(look.unit),
    postfix: typeof postfix === 'number' ? postfix : short(String(postfix ?? '')),
    ascii: typeof ascii === 'string' && ascii.length > limit ? false : ascii,
    barFormat: barFormat !== null && barFormat.length > limit ? null : barFormat,
    colour: look.colour === null ? null : short(look.colour),
  };
}
