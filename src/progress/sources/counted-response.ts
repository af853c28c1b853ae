/** The body of a `fetch` response, counted while it is read. */

import { MetheusError, show } from '../../errors.js';
import { Bar } from '../bar/bar.js';
import type { BarOptions } from '../bar/bar-options.js';
import { countingTransform } from '../bar/counting-stream.js';
import type { BarEnvironment } from '../bar/environment.js';
import { isThenable } from './source.js';

/**
 * Bytes that the body will have. `content-length` is what travels: `fetch` unpacks an encoded body, whose size then
 * is known to nobody.
 */
function bodyBytes(headers: Headers): number | null {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') return null;
  const length = headers.get('content-length')?.trim() ?? '';
  return /^\d+$/.test(length) ? Number(length) : null;
}

/** Tells a response what its constructor cannot be told, and its copies too. */
function withFacts(response: Response, { url, redirected, type }: Response): Response {
  const clone = () => withFacts(Response.prototype.clone.call(response), response);
  return Object.defineProperties(response, {
    url: { value: url },
    redirected: { value: redirected },
    type: { value: type },
    clone: { value: clone },
  });
}

function checkResponse(response: unknown): void {
  if (typeof response === 'object' && response !== null && 'body' in response && 'headers' in response)
    return;
  const promise = isThenable(response);
  throw new MetheusError('METHEUS_INVALID_VALUE', {
    given: `${promise ? 'a promise' : show(response)} to tqdm.response`,
    expected: 'a Response of fetch',
    ...(promise && { todo: 'Await it first' }),
  });
}

/**
 * The same response with a body that moves a bar. The bar counts bytes unless the options say otherwise, ends with
 * the body, fails with it, and is closed at once where there is none.
 *
 * @throws MetheusError `METHEUS_INVALID_VALUE` for what is no response
 */
export function countedResponse(
  response: Response,
  { unit = 'B', unitScale = true, unitDivisor = 1024, ...options }: BarOptions,
  environment: BarEnvironment,
): Response {
  checkResponse(response);
  const { body, headers, status, statusText } = response;
  const bytes = { ...options, unit, unitScale, unitDivisor };
  const bar = new Bar(bytes, environment, body === null ? 0 : bodyBytes(headers));
  if (body === null) {
    bar.close();
    return response;
  }
  try {
    const counted = new Response(body.pipeThrough(countingTransform<Uint8Array>(bar)), {
      headers,
      status,
      statusText,
    });
    return withFacts(counted, response);
  } catch (error) {
    // Somebody reads the body already.
    bar.fail(error);
    throw error;
  }
}
