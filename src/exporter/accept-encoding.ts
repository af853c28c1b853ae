/** What a client can decompress. */

/**
 * Whether to answer with gzip: it is accepted, and nothing says that plain bytes are liked better.
 *
 * @param header - the value of `Accept-Encoding`; without one, plain bytes are safe
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.accept-encoding
 */
export function acceptsGzip(header: string | null | undefined): boolean {
  if (!header) return false;
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim());
    const q = parameters.find((parameter) => /^q\s*=/.test(parameter));
    weights.set(coding, q === undefined ? 1 : Number(q.slice(q.indexOf('=') + 1)));
  }
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
  // A q that is no number is NaN, which is greater than nothing: then plain bytes.
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0);
}
