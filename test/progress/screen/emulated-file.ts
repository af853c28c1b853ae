/** Files that write to an emulated terminal, whose screen can be compared cell by cell. */
import { Writable } from 'node:stream';
import xterm from '@xterm/headless';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** A standard stream of a program on an emulated terminal. */
export class EmulatedFile extends Writable {
  readonly isTTY = true;
  readonly #screen: EmulatedScreen;

  constructor(screen: EmulatedScreen) {
    super();
    this.#screen = screen;
  }

  get columns(): number {
    return this.#screen.size.columns;
  }

  get rows(): number {
    return this.#screen.size.rows;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#screen.receive(chunk);
    done();
  }
}

/** The rows of a terminal, including those that have scrolled away, and its cursor. */
export interface Picture {
  /** Text and attributes of each row, without the blank rows at the end. */
  readonly rows: readonly string[];
  readonly cursor: { readonly row: number; readonly column: number };
}

/** Parts of xterm.js that its types leave out. */
interface Internals {
  readonly _core: {
    readonly _oscLinkService: { getLinkData(id: number): { readonly uri: string } | undefined };
  };
}

export class EmulatedScreen {
  size: ScreenSize;
  readonly stdout: EmulatedFile;
  readonly stderr: EmulatedFile;
  readonly #terminal: xterm.Terminal;

  constructor(size: ScreenSize) {
    this.size = size;
    this.#terminal = new xterm.Terminal({
      cols: size.columns,
      rows: size.rows,
      scrollback: 10_000,
      allowProposedApi: true,
      convertEol: true,
    });
    this.stdout = new EmulatedFile(this);
    this.stderr = new EmulatedFile(this);
  }

  receive(chunk: Uint8Array): void {
    this.#terminal.write(Uint8Array.from(chunk));
  }

  /** Changes the size of the terminal and of its files, which emit `resize`. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.settle();
    this.#terminal.resize(columns, rows);
    this.size = { columns, rows };
    this.stdout.emit('resize');
    this.stderr.emit('resize');
  }

  /** Resolves when everything written is on the screen. */
  settle(): Promise<void> {
    return new Promise((resolve) => this.#terminal.write('', resolve));
  }

  async picture(): Promise<Picture> {
    await this.settle();
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: active.length }, (_, row) => this.#row(active.getLine(row)!));
    return {
      rows: rows.slice(0, rows.findLastIndex((row) => row !== '') + 1),
      cursor: { row: active.baseY + active.cursorY, column: active.cursorX },
    };
  }

  /** Returns the lines of the text on the screen and above it. */
  async lines(): Promise<string[]> {
    await this.settle();
    const { active } = this.#terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, row) =>
      active.getLine(row)!.translateToString().trimEnd(),
    );
    return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
  }

  /** Returns the text of a row, with its attributes in braces where they change. */
  #row(line: xterm.IBufferLine): string {
    let text = '';
    let last = PLAIN;
    for (let column = 0; column < line.length; column += 1) {
      const cell = line.getCell(column)!;
      if (cell.getWidth() === 0) continue;
      const attributes = this.#attributesOf(cell);
      if (attributes !== last) text += `{${attributes}}`;
      last = attributes;
      text += cell.getChars() || ' ';
    }
    return text.trimEnd();
  }

  #attributesOf(cell: xterm.IBufferCell): string {
    // Only the background of a blank is visible.
    const isBlank = cell.getChars().trim() === '' && !cell.isUnderline() && !cell.isInverse();
    const background = `${cell.getBgColorMode()}/${cell.getBgColor()}`;
    if (isBlank) return background === PLAIN_BACKGROUND ? PLAIN : background;
    const flags = [
      cell.isBold(),
      cell.isDim(),
      cell.isItalic(),
      cell.isUnderline(),
      cell.isInverse(),
      cell.isStrikethrough(),
    ];
    const { extended } = cell as unknown as { readonly extended: { readonly urlId: number } };
    const { _core } = this.#terminal as unknown as Internals;
    const link = extended.urlId > 0 ? (_core._oscLinkService.getLinkData(extended.urlId)?.uri ?? '') : '';
    const colour = `${cell.getFgColorMode()}/${cell.getFgColor()}`;
    const attributes = `${colour} ${background} ${flags.map(Number).join('')} ${link}`;
    return attributes === `${PLAIN_BACKGROUND} ${PLAIN_BACKGROUND} 000000 ` ? PLAIN : attributes;
  }
}

const PLAIN = '';
const PLAIN_BACKGROUND = '0/-1';
