/** Which format a client is answered with. */
import { isEscaping } from './escaping.js';
import {
  type Escaping,
  type ExpositionFormat,
  OPENMETRICS_CONTENT_TYPE,
  PROMETHEUS_CONTENT_TYPE,
} from './formats.js';
import { isProtobufInstalled, PROTOBUF_CONTENT_TYPE } from './protobuf/peer.js';

/** What was agreed on: options of `streamMetrics`, and the header that goes with what it gives. */
export interface Negotiated {
  readonly format: ExpositionFormat;
  readonly escaping: Escaping;
  /** The value of `Content-Type`. */
  readonly contentType: string;
}

/** Something that a client may ask for. */
interface Offer {
  readonly format: ExpositionFormat;
  readonly contentType: string;
  readonly type: string;
  /** What must be asked for besides the type. `undefined` is among the values where it may be left out. */
  readonly parameters: Readonly<Record<string, readonly (string | undefined)[]>>;
  /** Whether this installation has it. Left out: all have. */
  readonly isAvailable?: () => boolean;
}

const TEXT: Offer = {
  format: 'text',
  contentType: PROMETHEUS_CONTENT_TYPE,
  type: 'text/plain',
  parameters: { version: ['0.0.4', undefined] },
};

/** In the versions that differ by a number, bytes do not: 1.0.0 of text is 0.0.4 for those who know quoted names. */
const OFFERS: readonly Offer[] = [
  TEXT,
  {
    ...TEXT,
    contentType: PROMETHEUS_CONTENT_TYPE.replace('0.0.4', '1.0.0'),
    parameters: { version: ['1.0.0'] },
  },
  {
    format: 'openmetrics',
    contentType: OPENMETRICS_CONTENT_TYPE,
    type: 'application/openmetrics-text',
    parameters: { version: ['1.0.0'] },
  },
  {
    format: 'openmetrics',
    contentType: OPENMETRICS_CONTENT_TYPE.replace('1.0.0', '0.0.1'),
    type: 'application/openmetrics-text',
    // Whoever names no version is older than 1.0.0.
    parameters: { version: ['0.0.1', undefined] },
  },
  {
    format: 'protobuf',
    contentType: PROTOBUF_CONTENT_TYPE,
    type: 'application/vnd.google.protobuf',
    parameters: { proto: ['io.prometheus.client.MetricFamily'], encoding: ['delimited'] },
    isAvailable: isProtobufInstalled,
  },
];

/**
 * The format that a client likes best of those that there are, and how names are escaped for it. A header that
 * asks for nothing of that, or cannot be read, or is not there, is answered with text 0.0.4, which everybody reads.
 *
 * @param accept - the value of the request's `Accept` header
 * @example
 * ```ts
 * const { contentType, ...options } = negotiate(request.headers.accept);
 * reply.header('Content-Type', contentType).send(Readable.from(streamMetrics(registry, options)));
 * ```
 * @see https://prometheus.io/docs/instrumenting/content_negotiation/
 */
export function negotiate(accept: string | null | undefined): Negotiated {
  for (const range of rangesOf(accept ?? '')) {
    const offer = OFFERS.find((offer) => meets(offer, range));
    if (offer !== undefined) return agreed(offer, range.parameters.get('escaping'));
  }
  return agreed(TEXT, undefined);
}

/** Says the escaping even where nobody asked for one, as Prometheus' own client library does. */
function agreed({ format, contentType }: Offer, asked: string | undefined): Negotiated {
  const escaping = isEscaping(asked) ? asked : 'underscores';
  return { format, escaping, contentType: `${contentType}; escaping=${escaping}` };
}

/** One of the things that an `Accept` header lists. Types and names are in lower case. */
interface Range {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly weight: number;
}

function meets(offer: Offer, { type, parameters }: Range): boolean {
  if (type === '*/*' || type === 'text/*') return offer === TEXT;
  if (type !== offer.type || offer.isAvailable?.() === false) return false;
  return Object.entries(offer.parameters).every(([name, values]) => values.includes(parameters.get(name)));
}

/** Longer headers are nobody's wish: servers of Prometheus send some 300 characters. */
const MOST_CHARACTERS = 8192;

/** What the header lists, best first: by weight, those with a wildcard behind the others, then by place. */
function rangesOf(accept: string): Range[] {
  if (accept.length > MOST_CHARACTERS) return [];
  const ranges = accept.split(',').map(rangeOf);
  const isWild = ({ type }: Range) => Number(type.includes('*'));
  return ranges
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || isWild(a) - isWild(b));
}

/** A weight that is no number is NaN, which is greater than nothing: then it is not asked for. */
function rangeOf(text: string): Range {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters = new Map(
    rest.map((part) => {
      const [, name = part, value = ''] = /^([^=\s]+)\s*=\s*"?([^"]*)"?$/.exec(part) ?? [];
      return [name.toLowerCase(), value];
    }),
  );
  return { type: type.toLowerCase(), parameters, weight: Number(parameters.get('q') ?? 1) };
}
