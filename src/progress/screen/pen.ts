/** The style of the program's text: colours and other attributes, a link, a character set. */

const ESCAPE = '\u001b';
const NO_ATTRIBUTES = `${ESCAPE}[0m`;
const NO_LINK = `${ESCAPE}]8;;${ESCAPE}\\`;
const ASCII = `${ESCAPE}(B`;

/** Parameters that end attributes, and the attributes that they end. */
const ENDS: Readonly<Record<number, readonly number[]>> = {
  10: [11],
  22: [1, 2],
  23: [3, 20],
  24: [4],
  25: [5],
  27: [7],
  28: [8],
  29: [9],
  39: [30],
  49: [40],
  50: [26],
  54: [51, 52],
  55: [53],
  59: [58],
};
const FOREGROUND = 30;
const BACKGROUND = 40;
const UNDERLINE = 4;

const isWithin = (code: number, first: number, last: number) => code >= first && code <= last;

/** Returns the attribute that a parameter sets. Parameters of the same attribute replace each other. */
function attributeOf(code: number): number {
  if (isWithin(code, 30, 38) || isWithin(code, 90, 97)) return FOREGROUND;
  if (isWithin(code, 40, 48) || isWithin(code, 100, 107)) return BACKGROUND;
  if (code === 21) return UNDERLINE;
  if (code === 6) return 5;
  return isWithin(code, 11, 19) ? 11 : code;
}

/** Returns how many of the parameters from `i` on are one colour: `38;5;9`, `38;2;1;2;3`. */
function lengthOfColour(parameters: readonly string[], i: number): number {
  if (!['38', '48', '58'].includes(parameters[i]!)) return 1;
  return { 5: 3, 2: 5 }[parameters[i + 1]!] ?? 1;
}

/** The state of the terminal for the text that the program writes next. */
export class Pen {
  /** Parameters by attribute. */
  readonly #attributes = new Map<number, string>();
  #link = '';
  #charset = '';

  /** The sequences that change the terminal from its defaults to this state; `''` for the defaults. */
  get text(): string {
    return sgr([...this.#attributes.values()]) + this.#link + this.#charset;
  }

  /** The sequence that sets the background of erased columns; `''` for the default one. */
  get background(): string {
    const background = this.#attributes.get(BACKGROUND);
    return background === undefined ? '' : sgr([background]);
  }

  /** Applies the parameters of a sequence `ESC [ … m`. */
  setAttributes(given: string): void {
    const parameters = given.split(';');
    for (let i = 0; i < parameters.length; ) {
      const length = lengthOfColour(parameters, i);
      const parameter = parameters.slice(i, i + length).join(';');
      const code = Number.parseInt(parameter, 10) || 0;
      if (code === 0) this.#attributes.clear();
      else if (parameter === '4:0') this.#attributes.delete(UNDERLINE);
      else if (ENDS[code] === undefined) this.#attributes.set(attributeOf(code), parameter);
      else for (const ended of ENDS[code]) this.#attributes.delete(ended);
      i += length;
    }
  }

  /** Applies the content of a sequence `ESC ] 8 ; … ESC \`: the link's parameters and its address. */
  setLink(content: string): void {
    this.#link = content.endsWith(';') ? '' : `${ESCAPE}]8;${content}${ESCAPE}\\`;
  }

  /** Applies a sequence `ESC ( …`. */
  setCharset(sequence: string): void {
    this.#charset = sequence === ASCII ? '' : sequence;
  }

  reset(): void {
    this.#attributes.clear();
    this.#link = '';
    this.#charset = '';
  }
}

function sgr(parameters: readonly string[]): string {
  return parameters.length === 0 ? '' : `${ESCAPE}[${parameters.join(';')}m`;
}

/** Returns the sequences that change the terminal from the state of `pen` to its defaults. */
export function undo(pen: string): string {
  if (pen === '') return '';
  const link = pen.includes(`${ESCAPE}]8;`) ? NO_LINK : '';
  return NO_ATTRIBUTES + link + (pen.includes(`${ESCAPE}(`) ? ASCII : '');
}
