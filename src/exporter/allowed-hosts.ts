/**
 * The hosts that the header `Host` of a request may name. A page of another site can make its own name resolve to the
 * loopback address (DNS rebinding), and would then read metrics as if it came from this machine.
 */
import { isIP } from 'node:net';
import { invalidOption } from './respond.js';

/**
 * Returns a function that reports whether a request may name a host; `undefined` if every request may name any.
 *
 * Addresses are always allowed, since a page can only be served under a name of its own. So are requests without the
 * header: browsers send it.
 *
 * @param listening - the host that the server was given, and the address on which it listens
 * @param given - further names; if left out, only servers on a loopback address check
 */
export function hostCheck(
  listening: readonly string[],
  given: readonly string[] | undefined,
): ((host: string | undefined) => boolean) | undefined {
  if (given === undefined && !listening.some(isLoopback)) return undefined;
  const names = new Set([...listening, ...(given ?? [])].map(nameOf));
  return (host) => {
    if (host === undefined) return true;
    const name = nameOf(host);
    return isIP(name) !== 0 || isLoopback(name) || names.has(name);
  };
}

/** @throws `METHEUS_INVALID_OPTIONS` */
export function checkAllowedHosts(given: unknown): void {
  const isName = (name: unknown) => typeof name === 'string' && /^[^\s/:]+$/.test(name);
  if (given === undefined || (Array.isArray(given) && given.every(isName))) return;
  throw invalidOption('allowedHosts', given, "an array of names, such as 'metrics.example.com'");
}

function isLoopback(name: string): boolean {
  return /^(::ffff:)?127(\.\d+){3}$|^::1$|^(.+\.)?localhost$/.test(name);
}

/** Returns the host of a header in lower case, without port, brackets and final dot. */
function nameOf(host: string): string {
  const [, address, name] = /^(?:\[(.*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
  return (address ?? name ?? host).toLowerCase().replace(/\.$/, '');
}
