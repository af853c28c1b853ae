/** The summary printed at the end. */
import { formatSizeof } from 'metheus/progress';

export class Summary {
  /** Paths and digests in order of completion. */
  readonly digests: (readonly [path: Uint8Array, digest: string])[] = [];
  #errors = 0;
  #slowest: { readonly path: Uint8Array; readonly seconds: number } | undefined;
  #start = performance.now();

  start(): void {
    this.#start = performance.now();
  }

  addFile(path: Uint8Array, digest: string, seconds: number): void {
    this.digests.push([path, digest]);
    if (this.#slowest === undefined || seconds > this.#slowest.seconds) this.#slowest = { path, seconds };
  }

  addError(): void {
    this.#errors += 1;
  }

  print(bytes: number, interrupted: boolean): void {
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = seconds > 0 ? bytes / 1e6 / seconds : 0;
    const lines = [
      `Files:    ${this.digests.length}${interrupted ? ' (interrupted)' : ''}`,
      `Bytes:    ${formatSizeof(bytes, 'B', 1024)} (${bytes})`,
      `Time:     ${seconds.toFixed(2)} s`,
      `Rate:     ${rate.toFixed(1)} MB/s`,
      `Errors:   ${this.#errors}`,
    ];
    if (this.#slowest !== undefined) {
      const { path, seconds: longest } = this.#slowest;
      lines.push(`Slowest:  ${(longest * 1000).toFixed(1)} ms, ${Buffer.from(path)}`);
    }
    console.log(lines.join('\n'));
  }
}
