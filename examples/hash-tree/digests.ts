/** Digests in the format of `sha256sum`. */
import { writeFile } from 'node:fs/promises';

const BACKSLASH = Buffer.from('\\');
const ESCAPED = /[\\\n\r]/;

/**
 * Returns a line: the digest, two spaces, the path. Backslashes, line feeds and carriage returns in the path are
 * escaped, and the line then begins with a backslash.
 */
export function digestLine(digest: string, path: Uint8Array): Buffer {
  // Latin-1 preserves every byte in both directions.
  const name = Buffer.from(path).toString('latin1');
  const needed = ESCAPED.test(name);
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  const line = Buffer.from(`${digest}  ${needed ? escaped : name}\n`, 'latin1');
  return needed ? Buffer.concat([BACKSLASH, line]) : line;
}

/** Writes all digests in the order of their paths. */
export async function writeDigests(
  file: string,
  digests: readonly (readonly [Uint8Array, string])[],
): Promise<void> {
  const sorted = [...digests].sort(([a], [b]) => Buffer.compare(a, b));
  await writeFile(file, Buffer.concat(sorted.map(([path, digest]) => digestLine(digest, path))));
}
