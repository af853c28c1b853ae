/** How a bar is drawn, by the kind of its output and what the environment asks for. */

/** Values of the option `output`. */
export const OUTPUTS = ['auto', 'terminal', 'lines', 'json', 'none'] as const;
export type Output = (typeof OUTPUTS)[number];
export type OutputMode = Exclude<Output, 'auto'>;

export function isOutput(text: unknown): text is Output {
  return OUTPUTS.some((output) => output === text);
}

export interface OutputSituation {
  readonly output: Output;
  /** Whether the user named the file. As in tqdm, it gets frames then; a log that was not named gets lines. */
  readonly isNamed: boolean;
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Reports whether the output is read as a log and not on a screen. */
function isContinuousIntegration({ CI = '' }: OutputSituation['env']): boolean {
  return CI !== '' && CI !== '0' && CI.toLowerCase() !== 'false';
}

export function outputMode({ output, isNamed, isTTY, env }: OutputSituation): OutputMode {
  if (output !== 'auto') return output;
  if (isNamed) return 'terminal';
  return isTTY && env.TERM !== 'dumb' && !isContinuousIntegration(env) ? 'terminal' : 'lines';
}

/** Values of `FORCE_COLOR` with which Node uses colours. */
const FORCED = new Set(['', '1', 'true', '2', '3']);

/**
 * Reports whether a bar may be coloured. `FORCE_COLOR` decides where it is set, as in Node, then a `NO_COLOR` that is
 * not empty; else bars in frames are coloured and lines in a log are not.
 */
export function hasColours({ isNamed, isTTY, env }: Omit<OutputSituation, 'output'>): boolean {
  if (env.FORCE_COLOR !== undefined) return FORCED.has(env.FORCE_COLOR.toLowerCase());
  if (env.NO_COLOR) return false;
  return isNamed || isTTY;
}
