/** Code blocks of pages, compiled and run as by a user of the package. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Block } from './markdown.js';

/** The root of the package, two levels above the compiled tests. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Declarations of the names that pages use for code of the reader. */
const PLACEHOLDERS = `
declare const items: string[];
declare function work(item: unknown): void;
`;

/** Runs a program, and returns its exit code and both outputs. Never rejects. */
function run(
  file: string,
  args: readonly string[],
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const { METHEUS_BACKEND_CLASS: _class, METHEUS_BACKEND_CONFIG: _config, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(file, args, { cwd: ROOT, env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), stdout, stderr }),
    );
  });
}

/**
 * Code blocks as modules of a folder below `build`, where `metheus` resolves to this package. All are
 * compiled at once, with the line numbers of their pages.
 */
export class Snippets {
  readonly #folder: string;
  readonly #names = new Map<Block, string>();

  constructor(blocks: readonly Block[]) {
    mkdirSync(join(ROOT, 'build'), { recursive: true });
    this.#folder = mkdtempSync(join(ROOT, 'build', 'snippets-'));
    for (const block of blocks) {
      const name = `${block.page.replace(/\.md$/, '').replace(/\W+/g, '-')}-${block.line}`;
      this.#names.set(block, name);
      writeFileSync(join(this.#folder, `${name}.ts`), '\n'.repeat(block.line - 1) + block.text);
    }
    writeFileSync(join(this.#folder, 'placeholders.d.ts'), PLACEHOLDERS);
    const compilerOptions = {
      rootDir: '.',
      outDir: 'out',
      moduleDetection: 'force',
      noUnusedLocals: false,
      noUnusedParameters: false,
    };
    const config = { extends: '../../tsconfig.base.json', compilerOptions, include: ['.'] };
    writeFileSync(join(this.#folder, 'tsconfig.json'), JSON.stringify(config));
  }

  /** Compiles the blocks. Returns the errors by block, and all others under `undefined`. */
  async compile(): Promise<ReadonlyMap<Block | undefined, string>> {
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    const { code, stdout, stderr } = await run(tsc, ['-p', this.#folder, '--pretty', 'false']);
    const complaints = new Map<Block | undefined, string>();
    if (code === 0) return complaints;
    const byName = new Map([...this.#names].map(([block, name]) => [name, block]));
    let block: Block | undefined;
    for (const line of `${stdout}${stderr}`.split('\n').filter((text) => text !== '')) {
      // Indented lines continue the error of the line before.
      if (!line.startsWith(' ')) block = byName.get(/([\w-]+)\.ts\(\d+,\d+\)/.exec(line)?.[1] ?? '');
      complaints.set(block, `${complaints.get(block) ?? ''}${line}\n`);
    }
    return complaints;
  }

  /** Runs a compiled block in its own process. */
  run(block: Block): Promise<{ code: unknown; stdout: string; stderr: string }> {
    return run(process.execPath, [join(this.#folder, 'out', `${this.#names.get(block)}.js`)]);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
