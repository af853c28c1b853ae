/** The service of a worker: answers HTTP requests, and counts them as a program of one process would. */
import { createServer } from 'node:http';
import { createCounter, createHistogram } from 'metheus';

const requests = createCounter('http_requests_total', 'Requests answered.', {
  requiredLabels: ['route', 'status'],
  defaultLabels: { status: '200' },
});
const seconds = createHistogram('http_request_duration_seconds', 'Time to answer.', {
  requiredLabels: ['route'],
});

/** Rounds of arithmetic for an answer, by route. */
const ROUTES: Readonly<Record<string, number>> = { '/': 100, '/report': 20_000 };

/** Listens on a port that all workers of the cluster share. */
export function serve(): void {
  const server = createServer((request, response) => {
    const route = request.url ?? '/';
    const rounds = ROUTES[route];
    if (rounds === undefined) {
      requests.labels({ route: 'unknown', status: 404 }).inc();
      response.writeHead(404).end();
      return;
    }
    const answer = seconds.labels({ route }).time(() => String(compute(rounds)));
    requests.labels({ route }).inc();
    response.end(answer);
  });
  server.listen(0, '127.0.0.1');
}

function compute(rounds: number): number {
  let sum = 0;
  for (let i = 1; i <= rounds; i++) sum += Math.sqrt(i);
  return sum;
}
