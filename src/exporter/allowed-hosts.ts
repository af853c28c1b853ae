/**
 * The hosts that the header `Host` of a request may name. A web page can make its own domain resolve to the loopback
 * address (DNS rebinding). Without this check, the page could then read the metrics in a browser on this machine.
 */

import { isIP } from 'node:net';
import { invalidValue } from '../model/options.js';

/**
 * Returns a function that reports whether a request may name a host; `undefined` if every request may name any.
 *
 * IP addresses are always allowed, since DNS rebinding needs a domain name. Requests without the header are allowed
 * too, since browsers always send it.
 *
 * @param listening - the host that the server was given, and the address on which it listens
 * @param given - further names; without them, only servers on a loopback address check the header
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
  throw invalidValue('allowedHosts', given, "an array of names, such as 'metrics.example.com'");
}

/** Reports whether a host is an address or a name of this machine that no other one reaches. */
export function isLoopback(name: string): boolean {
  return /^(::ffff:)?127(\.\d+){3}$|^::1$|^(.+\.)?localhost$/.test(name);
}

/** Returns the host that a header names, in lower case, without port, brackets and final dot. */
function nameOf(host: string): string {
  const [, address, name] = /^(?:\[(.*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
  return (address ?? name ?? host).toLowerCase().replace(/\.$/, '');
}
