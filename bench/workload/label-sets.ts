/** Label values like those of a web server, and how many series a benchmark makes of them. */

export type RequestLabels = Readonly<Record<'method' | 'route' | 'status', string>>;

export const REQUEST_LABELS = ['method', 'route', 'status'] as const;

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const STATUSES = ['200', '201', '204', '301', '304', '400', '401', '403', '404', '500'];

/** Returns this number of different label sets, a multiple of 50, in an order that jumps between them. */
export function labelSets(count = 1000): RequestLabels[] {
  const routes = Array.from({ length: count / 50 }, (_, i) => `/api/v1/resources/${i}/items`);
  const sets = METHODS.flatMap((method) =>
    routes.flatMap((route) => STATUSES.map((status) => ({ method, route, status }))),
  );
  // 7919 is a prime that does not divide any count in use, so each set is returned once.
  return sets.map((_, i) => sets[(i * 7919) % count]!);
}

export type Kind = 'counter' | 'histogram' | 'native histogram';

/** The families of one kind in a registry, and the series of each family. */
export interface Amount {
  readonly kind: Kind;
  readonly families: number;
  readonly series: number;
}
