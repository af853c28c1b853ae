/** File descriptors for reading, of which only a limited number is open at a time. */
import { closeSync } from 'node:fs';
import { openRegular } from '../../system/regular-file.js';

/** Maximum number of files that stay open between two reads, apart from those of {@link Descriptors.keep}. */
const MAX_OPEN = 256;

/** A file that is read. */
interface ReadFile {
  readonly path: string;
}

/**
 * The descriptors of files that are read again and again. The first files stay open. Once their number has reached a
 * limit, other files are opened for each use.
 */
export class Descriptors {
  readonly #kept = new Map<ReadFile, number>();
  readonly #open = new Map<ReadFile, number>();
  #maxOpen = MAX_OPEN;

  /**
   * Calls `run` with a descriptor of the file, and returns its result.
   *
   * @throws the error of the file system, or of `run`
   */
  use<T>(file: ReadFile, run: (descriptor: number) => T): T {
    const known = this.#kept.get(file) ?? this.#open.get(file);
    if (known !== undefined) return run(known);
    const descriptor = this.#openFile(file);
    try {
      return run(descriptor);
    } finally {
      if (this.#open.size < this.#maxOpen) this.#open.set(file, descriptor);
      else closeSync(descriptor);
    }
  }

  /** Opens a file, and keeps it open until `close`. @throws the error of the file system */
  keep(file: ReadFile): void {
    this.#kept.set(file, this.#openFile(file));
  }

  close(file: ReadFile): void {
    for (const descriptors of [this.#kept, this.#open]) {
      const descriptor = descriptors.get(file);
      if (descriptors.delete(file)) closeSync(descriptor!);
    }
  }

  closeAll(): void {
    for (const file of [...this.#kept.keys(), ...this.#open.keys()]) this.close(file);
  }

  /** Opens a file. If the process has run out of descriptors, first closes half of the descriptors in this set. */
  #openFile(file: ReadFile): number {
    for (;;) {
      try {
        return openRegular(file.path);
      } catch (error) {
        if (!isOutOfDescriptors(error) || this.#open.size === 0) throw error;
        this.#maxOpen = this.#open.size >> 1;
        for (const other of [...this.#open.keys()].slice(this.#maxOpen)) this.close(other);
      }
    }
  }
}

/** Reports whether a file could not be opened because too many files are open. */
export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = Object(error) as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
