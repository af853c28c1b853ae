/** Options of the command line. */
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm start -- [options] [directory]

Hashes every file below a directory (default: node_modules) with SHA-256 in four worker threads,
and serves its progress at http://[::1]:3000/metrics while it runs.

  --output FILE   write the digests to FILE, as sha256sum -c reads them
  --port PORT     serve at another port (default: 3000; the next free one if it is taken)
  --serve         continue to serve after the end, until Ctrl-C (default on a terminal)
  --no-serve      end after the summary
  --help          show this text`;

export interface Options {
  readonly directory: string;
  readonly output: string | undefined;
  readonly port: number;
  readonly serve: boolean;
  readonly help: boolean;
}

/** Parses arguments; throws an error with a message for the user. */
export function parseOptions(args: readonly string[], isTerminal: boolean): Options {
  const { values, positionals } = parse(args);
  const { output, help } = values;
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw usageError(`--port ${values.port} is not a port.`);
  if (positionals.length > 1) throw usageError(`Expected one directory, got ${positionals.length}.`);
  const serve = values.serve || (isTerminal && !values['no-serve']);
  return { directory: positionals[0] ?? 'node_modules', output, port, serve, help };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        output: { type: 'string' },
        port: { type: 'string', default: '3000' },
        serve: { type: 'boolean', default: false },
        'no-serve': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    // Node's messages end with advice on arguments that this program does not take.
    const [reason] = (error as Error).message.split(/[.\n]/);
    throw usageError(`${reason}.`);
  }
}

function usageError(reason: string): Error {
  return new Error(`${reason} See --help.`);
}
