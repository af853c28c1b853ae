/** Label values as web servers have them. */

export type RequestLabels = Readonly<Record<'method' | 'route' | 'status', string>>;

export const REQUEST_LABELS = ['method', 'route', 'status'] as const;

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const STATUSES = ['200', '201', '204', '301', '304', '400', '401', '403', '404', '500'];

/** So many different sets, a multiple of 50, in an order that jumps from one to another. */
export function labelSets(count = 1000): RequestLabels[] {
  const routes = Array.from({ length: count / 50 }, (_, i) => `/api/v1/resources/${i}/items`);
  const sets = METHODS.flatMap((method) =>
    routes.flatMap((route) => STATUSES.map((status) => ({ method, route, status }))),
  );
  // 7919 is a prime that divides no count used here, so each set is met once.
  return sets.map((_, i) => sets[(i * 7919) % count]!);
}
