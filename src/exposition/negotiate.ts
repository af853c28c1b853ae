/** Content negotiation: the format for a client. */
import {
  type Escaping,
  type ExpositionFormat,
  OPENMETRICS_CONTENT_TYPE,
  PROMETHEUS_CONTENT_TYPE,
  PROTOBUF_CONTENT_TYPE,
} from './formats.js';
import { isEscaping } from './naming.js';

/** The result of a negotiation: options of `streamMetrics`, and the content type of its output. */
export interface Negotiated {
  readonly format: ExpositionFormat;
  readonly escaping: Escaping;
  /** The value of `Content-Type`. */
  readonly contentType: string;
}

/** A format that a client may request. */
interface Offer {
  readonly format: ExpositionFormat;
  readonly contentType: string;
  readonly type: string;
  /** Accepted values of required parameters. `undefined` is among them where the parameter may be left out. */
  readonly parameters: Readonly<Record<string, readonly (string | undefined)[]>>;
}

const TEXT: Offer = {
  format: 'text',
  contentType: PROMETHEUS_CONTENT_TYPE,
  type: 'text/plain',
  parameters: { version: ['0.0.4', undefined] },
};

/** Versions of one format have the same bytes: text 1.0.0 is text 0.0.4 for readers that support quoted names. */
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
    // Clients that name no version are older than 1.0.0.
    parameters: { version: ['0.0.1', undefined] },
  },
  {
    format: 'protobuf',
    contentType: PROTOBUF_CONTENT_TYPE,
    type: 'application/vnd.google.protobuf',
    parameters: { proto: ['io.prometheus.client.MetricFamily'], encoding: ['delimited'] },
  },
];

/**
 * Returns the format that a client prefers, and how names are escaped for it. If the header requests none of the
 * formats, this is text 0.0.4, which every client reads.
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
    if (offer !== undefined) return negotiated(offer, range.parameters.get('escaping'));
  }
  return negotiated(TEXT, undefined);
}

/** Returns the options for an offer. The content type always names the escaping, as in client_golang. */
function negotiated({ format, contentType }: Offer, requested: string | undefined): Negotiated {
  const escaping = isEscaping(requested) ? requested : 'underscores';
  return { format, escaping, contentType: `${contentType}; escaping=${escaping}` };
}

function meets(offer: Offer, { value, parameters }: HeaderItem): boolean {
  if (value === '*/*' || value === 'text/*') return offer === TEXT;
  if (value !== offer.type) return false;
  return Object.entries(offer.parameters).every(([name, values]) => values.includes(parameters.get(name)));
}

/** Returns the media ranges of a header, best first: by weight, then those without a wildcard, then in order. */
function rangesOf(accept: string): HeaderItem[] {
  const isWild = ({ value }: HeaderItem) => Number(value.includes('*'));
  return itemsOf(accept)
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || isWild(a) - isWild(b));
}

/** An item of a header such as `Accept`: a media range or a coding, in lower case like the names of its parameters. */
export interface HeaderItem {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** The parameter `q`. NaN where it is invalid. @defaultValue 1 */
  readonly weight: number;
}

/** Longer headers are ignored. Prometheus sends about 300 characters. */
const MAX_CHARACTERS = 8192;

/** Parses a header that lists what a client accepts. */
export function itemsOf(header: string): HeaderItem[] {
  if (header.length > MAX_CHARACTERS) return [];
  return header.split(',').map((text) => {
    const [value = '', ...rest] = text.split(';').map((item) => item.trim());
    const parameters = new Map(
      rest.map((item) => {
        const [, name = item, value = ''] = /^([^=\s]+)\s*=\s*"?([^"]*)"?$/.exec(item) ?? [];
        return [name.toLowerCase(), value];
      }),
    );
    return { value: value.toLowerCase(), parameters, weight: Number(parameters.get('q') ?? 1) };
  });
}
