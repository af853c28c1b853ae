/** How a bar is shown, by what its output is and what the environment asks for. */

/** What the option `output` may be. */
export const OUTPUTS = ['auto', 'terminal', 'lines', 'json', 'none'] as const;
export type Output = (typeof OUTPUTS)[number];
export type OutputMode = Exclude<Output, 'auto'>;

export function isOutput(text: unknown): text is Output {
  return OUTPUTS.some((output) => output === text);
}

/** What the choices are made from. */
export interface OutputSituation {
  readonly output: Output;
  /** Did the user name the file? Then it gets frames, as in tqdm; a log that nobody named gets lines. */
  readonly named: boolean;
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Is there somebody who reads a log, and not a screen? */
function isContinuousIntegration({ CI = '' }: OutputSituation['env']): boolean {
  return CI !== '' && CI !== '0' && CI.toLowerCase() !== 'false';
}

export function outputMode({ output, named, isTTY, env }: OutputSituation): OutputMode {
  if (output !== 'auto') return output;
  if (named) return 'terminal';
  return isTTY && env.TERM !== 'dumb' && !isContinuousIntegration(env) ? 'terminal' : 'lines';
}

/** The values of `FORCE_COLOR` that Node takes for a yes. */
const FORCED = new Set(['', '1', 'true', '2', '3']);

/**
 * May a bar be coloured? `FORCE_COLOR` decides where it is set, as in Node, then `NO_COLOR` that is not empty, and
 * else whether there are frames: a log that nobody named has none.
 */
export function hasColours({ named, isTTY, env }: Omit<OutputSituation, 'output'>): boolean {
  if (env.FORCE_COLOR !== undefined) return FORCED.has(env.FORCE_COLOR.toLowerCase());
  if (env.NO_COLOR) return false;
  return named || isTTY;
}
