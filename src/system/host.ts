/** Removes the brackets that an IPv6 address has in a URL. Returns any other value unchanged. */
export function withoutBrackets<Host>(host: Host): Host {
  return typeof host === 'string' ? (host.replace(/^\[(.*)\]$/, '$1') as Host & string) : host;
}
