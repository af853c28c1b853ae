/**
 * HTTP requests without decompression, retries or kept connections, so that tests see the bytes that were
 * sent.
 */
import { once } from 'node:events';
import { type Agent, type IncomingMessage, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The target in the request line. @defaultValue the path of the URL */
  readonly path?: string;
  readonly agent?: Agent;
}

/** Resolves with the response when its headers have arrived. The body is not read. */
export async function open(url: string, { agent, ...ask }: Ask = {}): Promise<IncomingMessage> {
  const asking = request(url, { ...ask, agent: agent ?? false });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  // From here on errors are reported by the response.
  asking.on('error', () => {});
  return response;
}

/** @throws when the connection breaks before the body is complete */
export async function get(url: string, ask: Ask = {}): Promise<Answer> {
  const response = await open(url, ask);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}
