/**
 * Columns that text takes on a terminal, counted per code point: two for East Asian wide and full-width characters,
 * one for every other (combining marks too, as tqdm counts), none for ANSI sequences `ESC [ … letter`.
 */

import { eastAsianWidth } from 'get-east-asian-width';
import { checkArgument } from './arguments.js';

const ESCAPE = '\u001b';
const RESET = `${ESCAPE}[0m`;
const ANSI = new RegExp(`${ESCAPE}\\[[;\\d]*[A-Za-z]`, 'g');
const PRINTABLE_ASCII = /^[\u0020-\u007e]*$/;

function width(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += codePointWidth(character.codePointAt(0)!);
  return columns;
}

function codePointWidth(codePoint: number): number {
  return codePoint < 0x1100 ? 1 : eastAsianWidth(codePoint);
}

/**
 * Columns of `text`.
 *
 * @throws MetheusError `METHEUS_INVALID_BAR_OPTION` for what is no text
 */
export function displayLength(text: string): number {
  checkArgument('text', text, ['string']);
  return width(text.includes(ESCAPE) ? text.replace(ANSI, '') : text);
}

/**
 * The longest beginning of `text` that fits into `length` columns.
 *
 * Text that carries ANSI sequences gets a final reset, so that a colour cut off does not leak into what follows.
 *
 * @throws MetheusError `METHEUS_INVALID_BAR_OPTION` for what is no text, or a length that is no number
 */
export function displayTrim(text: string, length: number): string {
  checkArgument('text', text, ['string']);
  checkArgument('length', length, ['number']);
  if (PRINTABLE_ASCII.test(text)) return text.slice(0, Math.max(length, 0));
  const characters = [...text];
  // tqdm compares lengths alone: where wide characters make up for ANSI sequences, it cuts as if there were neither.
  if (characters.length === displayLength(text)) return characters.slice(0, Math.max(length, 0)).join('');
  const cut = text.slice(0, fittingEnd(text, length));
  if (!cut.includes(ESCAPE) || cut.search(ANSI) < 0) return cut;
  return cut.endsWith(RESET) ? cut : cut + RESET;
}

/**
 * The last place where the text before it fits. An ANSI sequence cut in the middle is not one any more and takes
 * columns, so the width of a beginning may fall as it grows: the last fit counts, not the first misfit.
 */
function fittingEnd(text: string, length: number): number {
  let end = 0;
  let columns = 0;
  let at = 0;
  for (const part of text.split(new RegExp(`(${ANSI.source})`))) {
    if (part.startsWith(ESCAPE) && part.search(ANSI) === 0) {
      for (let partial = 1; partial < part.length; partial += 1) {
        if (columns + partial <= length) end = at + partial;
      }
      at += part.length;
      if (columns <= length) end = at;
      continue;
    }
    for (const character of part) {
      columns += codePointWidth(character.codePointAt(0)!);
      at += character.length;
      if (columns <= length) end = at;
    }
  }
  return end;
}
