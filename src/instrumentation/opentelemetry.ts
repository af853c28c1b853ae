/** `metheus/opentelemetry`: the trace of this moment, from OpenTelemetry's API, an optional peer dependency. */
import { createRequire } from 'node:module';
import { MetheusError } from '../errors.js';
import type { Labels } from '../model/labels.js';

/** @see https://www.w3.org/TR/trace-context/#sampled-flag */
const SAMPLED = 1;

/**
 * For the option `exemplars` of counters and histograms: `trace_id` and `span_id` of the active span. Only of one
 * that is sampled, since only such a trace can be looked up.
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

/** At once, since metrics are made at once. Its state is global: it matters not which copy of it this is. */
function load(): typeof import('@opentelemetry/api') {
  try {
    return createRequire(import.meta.url)('@opentelemetry/api');
  } catch (cause) {
    throw new MetheusError('METHEUS_DEPENDENCY_MISSING', {
      given: 'no package @opentelemetry/api',
      expected: 'it, where traces are asked for',
      todo: "Run 'npm install @opentelemetry/api'",
      cause,
    });
  }
}
