/** `metheus/opentelemetry`: the current trace, from OpenTelemetry's API, which is an optional peer dependency. */
import { missingPackage } from '../errors.js';
import type { Labels } from '../model/labels.js';
import { requireOptional } from '../system/require-optional.js';

/** @see https://www.w3.org/TR/trace-context/#sampled-flag */
const SAMPLED = 1;

/**
 * Returns a function for the option `exemplars` of counters and histograms. It returns `trace_id` and `span_id` of the
 * active span if that is sampled; other traces cannot be looked up.
 *
 * @throws `METHEUS_DEPENDENCY_MISSING` without `@opentelemetry/api`
 */
export function currentTrace(): () => Labels | undefined {
  const { context, trace } = load();
  return () => {
    const span = trace.getSpan(context.active())?.spanContext();
    if (span === undefined || (span.traceFlags & SAMPLED) === 0) return undefined;
    return { trace_id: span.traceId, span_id: span.spanId };
  };
}

/** Loads the package synchronously, since metrics are created synchronously. Any copy will do: its state is global. */
function load(): typeof import('@opentelemetry/api') {
  try {
    return requireOptional('@opentelemetry/api') as typeof import('@opentelemetry/api');
  } catch (cause) {
    throw missingPackage('@opentelemetry/api', 'the package, which currentTrace() needs', cause);
  }
}
