/**
 * Terminal columns of text, counted per code point: two for East Asian wide and full-width characters, one for any
 * other (combining marks too, as in tqdm), none for ANSI sequences `ESC [ … letter`.
 */

import { eastAsianWidth } from 'get-east-asian-width';
import { checkArgument } from './arguments.js';

const ESCAPE = '\u001b';
const RESET = `${ESCAPE}[0m`;
const ANSI = new RegExp(`${ESCAPE}\\[[;\\d]*[A-Za-z]`, 'g');
/** An ANSI sequence, or any one character. */
const ANSI_OR_CHARACTER = new RegExp(`${ANSI.source}|.`, 'gsu');
const PRINTABLE_ASCII = /^[\u0020-\u007e]*$/;

/** Returns the columns of a code point. */
export function codePointWidth(codePoint: number): number {
  return codePoint < 0x1100 ? 1 : eastAsianWidth(codePoint);
}

/**
 * Returns the columns of `text`.
 *
 * @throws `METHEUS_INVALID_BAR_OPTION` when `text` is not a string
 */
export function displayLength(text: string): number {
  checkArgument('text', text, ['string']);
  return columnsOf(text);
}

/** Returns what {@link displayLength} returns, without the check. */
export function columnsOf(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let columns = 0;
  for (const character of text.replace(ANSI, '')) columns += codePointWidth(character.codePointAt(0)!);
  return columns;
}

/**
 * Returns the longest beginning of `text` that fits into `length` columns.
 *
 * If an ANSI sequence is left in it, a reset is added, so that its colour does not leak into the text that follows.
 *
 * @throws `METHEUS_INVALID_BAR_OPTION` when `text` is not a string or `length` is not a number
 */
export function displayTrim(text: string, length: number): string {
  checkArgument('text', text, ['string']);
  checkArgument('length', length, ['number']);
  return trimToColumns(text, length);
}

/** Returns what {@link displayTrim} returns, without the checks. */
export function trimToColumns(text: string, length: number): string {
  if (PRINTABLE_ASCII.test(text)) return text.slice(0, Math.max(length, 0));
  if (!text.includes(ESCAPE) && columnsOf(text) <= length) return text;
  let columns = 0;
  let hasSequence = false;
  let end = 0;
  for (const [piece] of text.matchAll(ANSI_OR_CHARACTER)) {
    const isSequence = piece.length > 1 && piece.startsWith(ESCAPE);
    if (!isSequence) columns += codePointWidth(piece.codePointAt(0)!);
    if (columns > length) break;
    hasSequence ||= isSequence;
    end += piece.length;
  }
  const trimmed = text.slice(0, end);
  return hasSequence && !trimmed.endsWith(RESET) ? trimmed + RESET : trimmed;
}
