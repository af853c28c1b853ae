/**
 * Every error that Metheus throws: one class, one catalogue of stable codes.
 *
 * A message always says four things: what is wrong (the code in words), what was given, what was
 * expected, and what to do. `docs/reference/errors.md` lists the same codes; a test holds the two together.
 */

/** All codes, for tests and tools. A message begins with the words of its code. */
export const ERROR_CODES = [
  'METHEUS_INVALID_METRIC_NAME',
  'METHEUS_INVALID_HELP',
  'METHEUS_INVALID_LABEL_NAME',
  'METHEUS_RESERVED_LABEL_NAME',
  'METHEUS_DUPLICATE_LABEL_NAME',
  'METHEUS_INVALID_LABEL_VALUE',
  'METHEUS_UNKNOWN_LABEL',
  'METHEUS_LABEL_ALREADY_GIVEN',
  'METHEUS_MISSING_LABELS',
  'METHEUS_LABELS_NOT_ALLOWED',
  'METHEUS_INVALID_OPTIONS',
  'METHEUS_INVALID_INCREMENT',
  'METHEUS_INVALID_VALUE',
  'METHEUS_INVALID_BUCKETS',
  'METHEUS_INVALID_EXEMPLAR',
  'METHEUS_UNKNOWN_STATE',
  'METHEUS_INVALID_CALLBACK',
  'METHEUS_CONFLICTING_METRIC',
  'METHEUS_INVALID_COLLECTOR',
  'METHEUS_COLLECTOR_FAILED',
  'METHEUS_DUPLICATE_FAMILY',
  'METHEUS_DUPLICATE_SERIES',
  'METHEUS_UNKNOWN_BACKEND',
  'METHEUS_INVALID_BACKEND',
  'METHEUS_BACKEND_CONFIG_UNREADABLE',
  'METHEUS_BACKEND_CONFIG_INVALID',
  'METHEUS_DEPENDENCY_MISSING',
  'METHEUS_UNKNOWN_FORMAT',
  'METHEUS_INVALID_EXPOSITION',
  'METHEUS_PORT_IN_USE',
  'METHEUS_LISTEN_FAILED',
  'METHEUS_INVALID_BAR_OPTION',
  'METHEUS_INVALID_BAR_FORMAT',
  'METHEUS_NOT_ITERABLE',
] as const;

/** A stable code of the catalogue: compare against this, never against a message. */
export type MetheusErrorCode = (typeof ERROR_CODES)[number];

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
      `${headline(code)}: given ${given}, expected ${expected}.${advice}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
  }
}

/** The words of a code: `Invalid value` for `METHEUS_INVALID_VALUE`. */
const headline = (code: string) => code[8] + code.slice(9).toLowerCase().replaceAll('_', ' ');

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
