/** Safe reading of files in directories where other users, or other versions of a program, can create files. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY } = constants;

/**
 * Opens a regular file, and refuses anything else: a symbolic link could lead to any file of this user, and opening a
 * named pipe would wait for its other end.
 *
 * @throws the error of the file system; `ELOOP` for a symbolic link, `EINVAL` for a directory, a pipe or a device
 */
export function openRegular(path: string, flags: number = O_RDONLY, mode = 0o644): number {
  const descriptor = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, mode);
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw Object.assign(new Error(`${path} is not a file`), { code: 'EINVAL' });
}

/**
 * Returns the content of a file, but at most its first `maxBytes` bytes.
 *
 * @throws as `openRegular`
 */
export function readRegular(path: string, maxBytes: number): Buffer {
  const descriptor = openRegular(path);
  try {
    const content = Buffer.alloc(Math.min(fstatSync(descriptor).size, maxBytes));
    return content.subarray(0, readSync(descriptor, content, 0, content.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Reports whether an error means that a file does not exist. After other errors, it may or may not exist. */
export function isMissing(error: unknown): boolean {
  const { code } = Object(error) as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
