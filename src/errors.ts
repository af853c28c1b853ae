/**
 * The errors of this package: one class, and a catalogue of stable codes.
 *
 * A message states the mistake (the code in words), the given value, the expected one and the remedy. A test keeps
 * `docs/reference/errors.md` and the catalogue equal.
 */

/** All codes. A message begins with the words of its code. */
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
  'METHEUS_PUSH_FAILED',
  'METHEUS_INVALID_BAR_OPTION',
  'METHEUS_INVALID_BAR_FORMAT',
  'METHEUS_NOT_ITERABLE',
] as const;

/** A code of the catalogue. Codes are stable and messages are not, so programs compare codes. */
export type MetheusErrorCode = (typeof ERROR_CODES)[number];

/** Phrases of a message, each without a full stop. */
export interface ErrorDetails {
  /** The given value as text, see {@link show}. */
  readonly given: string;
  readonly expected: string;
  /** The remedy, where `expected` does not imply it. */
  readonly todo?: string;
  readonly cause?: unknown;
}

/** The error class of this package. */
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

/** Returns a code in words: `Invalid value` for `METHEUS_INVALID_VALUE`. */
const headline = (code: string) => code[8] + code.slice(9).toLowerCase().replaceAll('_', ' ');

/** Returns the error of an optional package that cannot be loaded. @param expected - the package and its use */
export function missingPackage(name: string, expected: string, cause: unknown): MetheusError {
  return new MetheusError('METHEUS_DEPENDENCY_MISSING', {
    given: `no package ${name}`,
    expected,
    todo: `Run 'npm install ${name}'`,
    cause,
  });
}

/** Error of a metric that is used before all of its required labels have a value (`METHEUS_MISSING_LABELS`). */
export class UnobservableMetricError extends MetheusError {
  override name = 'UnobservableMetricError';
  /** The labels without a value, in the order in which the metric declares them. */
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

/** Maximum depth of nested arrays that are shown, since an array may contain itself. */
const MAX_DEPTH = 3;
const MAX_TEXT = 80;
const MAX_ITEMS = 20;

/** Returns a short text that shows a value and its type. */
export function show(value: unknown, depth = 0): string {
  if (typeof value === 'string') {
    const cut = value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
    return `'${cut}'`;
  }
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (Array.isArray(value)) {
    if (depth === MAX_DEPTH) return '[…]';
    const shown = value.slice(0, MAX_ITEMS).map((item) => show(item, depth + 1));
    return `[${shown.join(', ')}${value.length > MAX_ITEMS ? ', …' : ''}]`;
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  const name = String(value.constructor?.name ?? 'Object');
  try {
    if (ArrayBuffer.isView(value)) return `${name} ${show(Array.from(value as Float64Array), depth)}`;
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined && (json !== '{}' || name === 'Object')) return show(json).slice(1, -1);
  } catch {
    // The object is circular or has a getter that throws, so only its class is shown.
  }
  return `[object ${name}]`;
}

/** Returns the message of an error, or the text of {@link show} for any other thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : show(error);
}

const warned = new Set<string>();

/**
 * Emits a process warning about a failure that is not thrown to the caller.
 *
 * @param key - identifies the failure; later warnings with the same key are dropped
 */
export function warnOnce(key: string, message: string): void {
  if (warned.has(key)) return;
  warned.add(key);
  process.emitWarning(message, { type: 'MetheusWarning', code: 'METHEUS_WARNING' });
}
