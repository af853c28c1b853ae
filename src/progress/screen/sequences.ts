/** Patterns for escape sequences in the output of the program, and for incomplete characters and sequences. */

const ESC = '\u001b';
const STRING = '[^\u0018\u001a\u001b]*';
/** Parameters, intermediate characters and final character of a control sequence. */
const CSI = '\\[(?<parameters>[0-?]*)[ -/]*(?<final>[@-~])';
const OSC = `\\](?<command>[^\u0007\u0018\u001a\u001b]*)(?:[\u0007\u0018\u001a]|${ESC}\\\\|(?=${ESC}))`;
const OTHER_STRING = `[PX^_]${STRING}(?:[\u0018\u001a]|${ESC}\\\\|(?=${ESC}))`;

/** An escape sequence, a control character, or text that contains neither. */
export const TOKEN = new RegExp(
  `${ESC}(?:${CSI}|${OSC}|${OTHER_STRING}|[ -/]*[0-~])|[\u0000-\u001f\u007f]|[^\u0000-\u001f\u007f]+`,
  'g',
);

/** The beginning of an escape sequence at the end of text. */
const INCOMPLETE = new RegExp(
  `${ESC}(?:\\[[0-?]*[ -/]*|\\][^\u0007\u0018\u001a\u001b]*${ESC}?|[PX^_]${STRING}${ESC}?|[ -/]*)$`,
);

/** Maximum number of bytes that are held back. A longer sequence is written in parts. */
const MAX_HELD = 65_536;

/** Returns the length in bytes of the UTF-8 character that starts with `byte`; 0 if no character starts with it. */
function characterLength(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc0) return 0;
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

function lengthWithoutPartOfCharacter(bytes: Uint8Array): number {
  for (let i = 1; i <= Math.min(3, bytes.length); i += 1) {
    const length = characterLength(bytes[bytes.length - i]!);
    if (length > 0) return length > i ? bytes.length - i : bytes.length;
  }
  return bytes.length;
}

/** Returns the number of bytes before the incomplete character or sequence at the end, if there is one. */
export function completeLength(bytes: Uint8Array): number {
  const length = lengthWithoutPartOfCharacter(bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
  const start = text.includes(ESC) ? text.search(INCOMPLETE) : -1;
  const complete = start < 0 ? length : start;
  return bytes.length - complete > MAX_HELD ? bytes.length : complete;
}
