/** Source files of a folder, what they import, and the rooms of `docs/architecture.md` that they belong to. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

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

/** A line of a table of rooms. */
export interface Room {
  /** A folder with a slash at its end, the files of a folder such as `progress/*.ts`, or one file. */
  readonly path: string;
  readonly rank: number;
}

/** Returns the rooms in the tables below a heading of `docs/architecture.md`, up to the next heading. */
export function roomsBelow(heading: string): Room[] {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const start = page.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`docs/architecture.md has no heading '${heading}'`);
  const section = page.slice(start + heading.length + 1).split(/\n#+ /)[0]!;
  return [...section.matchAll(/^\| (\d+) \| (.+?) \|/gm)].flatMap(([, rank, rooms]) =>
    [...rooms!.matchAll(/`([^`]+)`/g)].map(([, path]) => ({ path: path!, rank: Number(rank) })),
  );
}

function contains({ path }: Room, file: string): boolean {
  if (path.endsWith('/')) return file.startsWith(path);
  if (path.endsWith('/*.ts')) return posix.dirname(file) === posix.dirname(path);
  return file === path;
}

/** Returns the room of a file: the one whose path is the longest of those that contain it. */
export function roomOf(file: string, rooms: readonly Room[]): Room | undefined {
  const containing = rooms.filter((room) => contains(room, file));
  return containing.sort((a, b) => b.path.replace('*.ts', '').length - a.path.replace('*.ts', '').length)[0];
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
