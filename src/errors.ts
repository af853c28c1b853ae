/**
 * Every error that Metheus throws: one class, one catalogue of stable codes.
 *
 * A message always says four things: what is wrong (the catalogue's headline), what was given, what was
 * expected, and what to do. `docs/reference/errors.md` lists the same codes; a test holds the two together.
 */

const CATALOGUE = {
  METHEUS_INVALID_METRIC_NAME: 'Invalid metric name',
  METHEUS_INVALID_HELP: 'Invalid help text',
  METHEUS_INVALID_LABEL_NAME: 'Invalid label name',
  METHEUS_RESERVED_LABEL_NAME: 'Reserved label name',
  METHEUS_DUPLICATE_LABEL_NAME: 'Duplicate label name',
  METHEUS_INVALID_LABEL_VALUE: 'Invalid label value',
  METHEUS_UNKNOWN_LABEL: 'Unknown label',
  METHEUS_LABEL_ALREADY_GIVEN: 'The label has a value already',
  METHEUS_MISSING_LABELS: 'Labels are missing',
  METHEUS_LABELS_NOT_ALLOWED: 'The metric has no labels',
  METHEUS_INVALID_OPTIONS: 'Invalid options',
  METHEUS_INVALID_INCREMENT: 'Invalid increment',
  METHEUS_INVALID_VALUE: 'Invalid value',
  METHEUS_INVALID_BUCKETS: 'Invalid histogram buckets',
  METHEUS_INVALID_CALLBACK: 'Invalid callback',
  METHEUS_CONFLICTING_METRIC: 'A different metric is registered under this name',
  METHEUS_INVALID_COLLECTOR: 'Invalid collector',
  METHEUS_COLLECTOR_FAILED: 'A collector failed',
  METHEUS_DUPLICATE_FAMILY: 'Two collectors give the same metric name',
  METHEUS_UNKNOWN_BACKEND: 'Unknown backend',
  METHEUS_INVALID_BACKEND: 'Invalid backend',
  METHEUS_BACKEND_CONFIG_UNREADABLE: 'The backend configuration cannot be read',
  METHEUS_BACKEND_CONFIG_INVALID: 'The backend configuration is not a JSON object',
  METHEUS_DEPENDENCY_MISSING: 'An optional package is not installed',
  METHEUS_UNKNOWN_FORMAT: 'Unknown exposition format',
  METHEUS_PORT_IN_USE: 'The port is in use',
  METHEUS_LISTEN_FAILED: 'The server cannot listen',
  METHEUS_INVALID_BAR_OPTION: 'Invalid progress bar option',
  METHEUS_INVALID_BAR_FORMAT: 'Invalid progress bar format',
  METHEUS_NOT_ITERABLE: 'The progress bar has nothing to iterate',
} as const;

/** A stable code of the catalogue: compare against this, never against a message. */
export type MetheusErrorCode = keyof typeof CATALOGUE;

/** All codes, for tests and tools. */
export const ERROR_CODES = Object.keys(CATALOGUE) as readonly MetheusErrorCode[];

/** The parts of an error's message. Each is a phrase without a final full stop. */
export interface ErrorDetails {
  /** What was given, already shown as text: see {@link show}. */
  readonly given: string;
  readonly expected: string;
  /** What the reader should do. Left out where `expected` says it all. */
  readonly todo?: string;
  readonly cause?: unknown;
}

/** The only error class of this package, but for {@link UnobservableMetricError}, which extends it. */
export class MetheusError extends Error {
  override name = 'MetheusError';
  readonly code: MetheusErrorCode;

  constructor(code: MetheusErrorCode, { given, expected, todo, cause }: ErrorDetails) {
    const advice = todo === undefined ? '' : ` ${todo}.`;
    super(
      `${CATALOGUE[code]}: given ${given}, expected ${expected}.${advice}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
  }
}

/** A metric was used before all of its required labels had a value (`METHEUS_MISSING_LABELS`). */
export class UnobservableMetricError extends MetheusError {
  override name = 'UnobservableMetricError';
  /** The labels that still need a value, in the order in which the metric declares them. */
  readonly missing: readonly string[];

  constructor(metric: string, missing: readonly string[]) {
    const names = missing.map((name) => `'${name}'`).join(', ');
    super('METHEUS_MISSING_LABELS', {
      given: `metric '${metric}' without ${names}`,
      expected: 'a value for every required label',
      todo: `Call .labels({ ${missing.map((name) => `${name}: …`).join(', ')} }) first`,
    });
    this.missing = missing;
  }
}

/** Arrays in arrays that are shown: one may be in itself. */
const MOST_DEPTH = 3;

/** A value as it should appear in a message: its type is visible and it is never long. */
export function show(value: unknown, depth = 0): string {
  if (typeof value === 'string') {
    const cut = value.length > 80 ? `${value.slice(0, 80)}…` : value;
    return `'${cut}'`;
  }
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (Array.isArray(value)) {
    if (depth === MOST_DEPTH) return '[…]';
    const shown = value.slice(0, 20).map((item) => show(item, depth + 1));
    return `[${shown.join(', ')}${value.length > 20 ? ', …' : ''}]`;
  }
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  try {
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined) return show(json).slice(1, -1);
  } catch {
    // Circular, or with a getter that throws: its kind must do.
  }
  return Object.prototype.toString.call(value);
}

const warned = new Set<string>();

/**
 * Tells the process once about trouble that must not reach the caller.
 *
 * @param key - what the trouble is about: one warning is given for each
 */
export function warnOnce(key: string, message: string): void {
  if (warned.has(key)) return;
  warned.add(key);
  process.emitWarning(message, { type: 'MetheusWarning', code: 'METHEUS_WARNING' });
}
