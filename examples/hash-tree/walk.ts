/** Finds the files of a tree. Paths are bytes, since a file's name need not be valid UTF-8. */
import { lstat, opendir } from 'node:fs/promises';

export interface FoundFile {
  readonly path: Buffer;
  readonly size: number;
}

const SLASH = Buffer.from('/');

/** Yields every regular file below a directory. Symbolic links are not followed; read errors go to `onError`. */
export async function* walk(
  directory: Buffer,
  onError: (path: Buffer, error: unknown) => void,
): AsyncGenerator<FoundFile> {
  try {
    // `Dir` is typed for text names only; with this encoding the names are bytes.
    const entries = await opendir(directory as never, { encoding: 'buffer' as BufferEncoding });
    for await (const entry of entries) {
      const path = Buffer.concat([directory, SLASH, entry.name as unknown as Buffer]);
      if (entry.isDirectory()) yield* walk(path, onError);
      else if (entry.isFile()) yield* found(path, onError);
    }
  } catch (error) {
    onError(directory, error);
  }
}

async function* found(
  path: Buffer,
  onError: (path: Buffer, error: unknown) => void,
): AsyncGenerator<FoundFile> {
  try {
    yield { path, size: (await lstat(path)).size };
  } catch (error) {
    onError(path, error);
  }
}
