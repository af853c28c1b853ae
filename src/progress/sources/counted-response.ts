/** The body of a `fetch` response, counted while it is read. */

import { MetheusError, show } from '../../errors.js';
import { Bar } from '../bar/bar.js';
import type { BarOptions } from '../bar/bar-options.js';
import { countingTransform } from '../bar/counting-stream.js';
import type { BarEnvironment } from '../bar/environment.js';
import { isThenable } from './source.js';

/**
 * Returns the number of bytes of the body, or undefined if it is unknown. `content-length` is the number of transferred
 * bytes. `fetch` decodes an encoded body, whose number of bytes is then another.
 */
function bodyBytes(headers: Headers): number | undefined {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') return undefined;
  const length = headers.get('content-length')?.trim() ?? '';
  return /^\d+$/.test(length) ? Number(length) : undefined;
}

/** Copies the properties that the constructor of `Response` does not take, to a response and to its clones. */
function withOrigin(response: Response, { url, redirected, type }: Response): Response {
  const clone = () => withOrigin(Response.prototype.clone.call(response), response);
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
  const isPromise = isThenable(response);
  throw new MetheusError('METHEUS_INVALID_VALUE', {
    given: `${isPromise ? 'a promise' : show(response)} to tqdm.response`,
    expected: 'a Response of fetch',
    ...(isPromise && { todo: 'Await it first' }),
  });
}

/**
 * Returns the same response with a body that moves a bar. By default the bar counts bytes. It closes at the end of the
 * body, and at once if there is no body. It fails if reading the body fails.
 *
 * @throws `METHEUS_INVALID_VALUE` for anything but a response
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
    return withOrigin(counted, response);
  } catch (error) {
    // The body cannot be piped, since it is being read already.
    bar.fail(error);
    throw error;
  }
}
