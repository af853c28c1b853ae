/** Clients that send requests on new connections, so that all workers get some. */
import { get } from 'node:http';

const CLIENTS = 8;
const PATHS = ['/', '/', '/report', '/nowhere'];

/** Sends `requests` requests, eight at a time, and returns the number of answers. */
export async function makeLoad(port: number, requests: number): Promise<number> {
  let sent = 0;
  let answered = 0;
  const client = async () => {
    while (sent < requests) {
      const path = PATHS[sent++ % PATHS.length]!;
      await new Promise<void>((resolve, reject) => {
        get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
          answered += 1;
          response.resume().once('end', resolve);
        }).once('error', reject);
      });
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return answered;
}
