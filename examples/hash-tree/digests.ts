/** Digests as `sha256sum` writes them and `sha256sum -c` reads them. */
import { writeFile } from 'node:fs/promises';

const BACKSLASH = Buffer.from('\\');
const ESCAPED = /[\\\n\r]/;

/**
 * One line: the digest, two spaces, the path. A path with a backslash, line feed or carriage return has these
 * escaped, and its line begins with a backslash.
 */
export function digestLine(digest: string, path: Uint8Array): Buffer {
  // Latin-1 keeps every byte as it is, there and back.
  const name = Buffer.from(path).toString('latin1');
  const needed = ESCAPED.test(name);
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  const line = Buffer.from(`${digest}  ${needed ? escaped : name}\n`, 'latin1');
  return needed ? Buffer.concat([BACKSLASH, line]) : line;
}

/** Writes all digests, in the order of their paths. */
export async function writeDigests(
  file: string,
  digests: readonly (readonly [Uint8Array, string])[],
): Promise<void> {
  const sorted = [...digests].sort(([a], [b]) => Buffer.compare(a, b));
  await writeFile(file, Buffer.concat(sorted.map(([path, digest]) => digestLine(digest, path))));
}
