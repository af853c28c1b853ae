/** Which source files take part in a piece of work: those in which a function runs, counted by V8's precise coverage. */
import { type Profiler, Session } from 'node:inspector';

/** Counts calls of functions in this thread from its construction on. */
export class Coverage {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  }

  /** Returns the files of `src` in which a function has been called since the last call, and starts to count anew. */
  take(): string[] {
    let scripts: Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    return scripts
      .filter(({ functions }) => functions.some(({ ranges }) => ranges[0]!.count > 0))
      .flatMap(({ url }) => /\/build\/src\/(.*)\.js$/.exec(url)?.[1] ?? [])
      .map((file) => `${file}.ts`)
      .sort();
  }
}
