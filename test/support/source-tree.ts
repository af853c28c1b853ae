/** Source files of a folder, what they import, and the rooms of `docs/architecture.md` that they belong to. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

const { compilerOptions } = JSON.parse(readFileSync('tsconfig.base.json', 'utf8')) as {
  compilerOptions: { paths: Record<string, readonly [string]> };
};

/** The specifiers that users import, and their files in `src`. */
export const ENTRY_POINTS = Object.entries(compilerOptions.paths)
  .filter(([name]) => name.startsWith('metheus'))
  .map(([name, [file]]) => ({
    name,
    source: file.replace('./build/src/', '').replace(/\.d\.ts$/, '.ts'),
  }));

const STATIC = /^(?:import|export)\s(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;

/** Reads the files below a folder whose names end with `ending`, by their paths from there. */
export function readFiles(folder: string, ending = '.ts'): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith(ending) && !name.endsWith(`.d${ending}`));
  return new Map(names.sort().map((name) => [name, readFileSync(posix.join(folder, name), 'utf8')]));
}

/** Returns the code without its comments, in which an example may import anything. */
export function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

/**
 * Returns what a file imports, types included: files of its own tree by their path, others by their specifier.
 *
 * @param dynamic - includes `import()`
 */
export function importsOf(file: string, code: string, dynamic = true): string[] {
  const bare = withoutComments(code);
  return (dynamic ? [STATIC, DYNAMIC] : [STATIC])
    .flatMap((pattern) => [...bare.matchAll(pattern)].map(([, specifier]) => specifier!))
    .map((specifier) => (specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier));
}

/** Each file with the files of the same tree that it imports. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** Returns the import graph of TypeScript files, `import()` included. */
export function graphOf(files: ReadonlyMap<string, string>): Graph {
  return new Map(
    [...files].map(([file, code]) => {
      const paths = importsOf(file, code).map((path) => path.replace(/\.js$/, '.ts'));
      return [file, [...new Set(paths)].filter((path) => files.has(path))];
    }),
  );
}

/** Returns the import circles of a graph, each as the files along it. */
export function circlesOf(graph: Graph): string[] {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (done.has(file) || path.includes(file)) return;
    for (const imported of graph.get(file) ?? []) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return circles;
}

/** A row of a table of rooms. */
export interface Room {
  /** Folders with a slash at their end, the files of a folder such as `progress/*.ts`, and files. */
  readonly paths: readonly string[];
  readonly rank: number;
}

/** Returns the rooms in the table below a heading of `docs/architecture.md`, up to the next heading. */
export function roomsBelow(heading: string): Room[] {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const start = page.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`docs/architecture.md has no heading '${heading}'`);
  const section = page.slice(start + heading.length + 1).split(/\n#+ /)[0]!;
  return [...section.matchAll(/^\| (\d+) \| (.+?) \|/gm)].map(([, rank, paths]) => ({
    paths: [...paths!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!),
    rank: Number(rank),
  }));
}

/** Returns the number of leading characters that a path and a file share, if the file is there; otherwise -1. */
function matchLength(path: string, file: string): number {
  if (path === file) return path.length;
  const folder = path.replace(/\*\.ts$/, '');
  const isIn = path.endsWith('/') ? file.startsWith(path) : `${posix.dirname(file)}/` === folder;
  return isIn && folder.endsWith('/') ? folder.length : -1;
}

/** Returns the path of a room that a file belongs to: the longest that matches. */
export function pathOf(file: string, rooms: readonly Room[]): string | undefined {
  const paths = rooms.flatMap((room) => room.paths).filter((path) => matchLength(path, file) >= 0);
  return paths.sort((a, b) => matchLength(b, file) - matchLength(a, file))[0];
}

function roomOf(file: string, rooms: readonly Room[]): Room | undefined {
  const path = pathOf(file, rooms);
  return rooms.find(({ paths }) => path !== undefined && paths.includes(path));
}

/** Returns the imports from another room whose rank is not lower, as `importer → imported`. */
export function importsUpwards(graph: Graph, rooms: readonly Room[]): string[] {
  return [...graph].flatMap(([file, imported]) => {
    const own = roomOf(file, rooms);
    return imported.flatMap((path) => {
      const other = roomOf(path, rooms);
      if (own === undefined || other === undefined || own === other || other.rank < own.rank) return [];
      return [`${file} → ${path}`];
    });
  });
}
