/** Parsers of Prometheus and of its Python client. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Exemplar } from 'metheus';
import { PYTHON } from './tools.js';

/**
 * Returns the exit code of `promtool check metrics`: 0 without complaints, 3 with advice on names, 1 for
 * invalid text.
 */
export interface Verdict {
  readonly exitCode: number | null;
  readonly output: string;
}

export async function promtoolCheck(text: string | Uint8Array): Promise<Verdict> {
  const child = spawn('promtool', ['check', 'metrics']);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  child.stdin.on('error', () => {}); // promtool may end before it has read everything.
  child.stdin.end(text);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, output };
}

/** A sample as a parser has read it. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Unix time in seconds. */
  readonly timestamp?: number;
  readonly exemplar?: Exemplar;
}

export interface ParsedFamily {
  /** The name without `_total`. */
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
  readonly samples: readonly ParsedSample[];
}

/** Numbers are sent as text, since JSON has no NaN. */
const PROGRAM = `
import base64, json, sys
if sys.argv[1] == 'openmetrics':
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
else:
    from prometheus_client.parser import text_string_to_metric_families as parse
def number(n):
    return None if n is None else repr(float(n))
def exemplar(e):
    return None if e is None else [e.labels, number(e.value), number(e.timestamp)]
for line in sys.stdin:
    try:
        text = base64.b64decode(line).decode('utf-8')
        answer = [
            [family.name, family.type, family.documentation, family.unit,
             [[s.name, s.labels, number(s.value), number(s.timestamp), exemplar(s.exemplar)]
              for s in family.samples]]
            for family in parse(text)
        ]
    except Exception as error:
        answer = {'error': repr(error)}
    print(json.dumps(answer), flush=True)
`;

type Labels = Record<string, string>;
type AnsweredExemplar = [Labels, string, string | null];
type AnsweredSample = [string, Labels, string, string | null, AnsweredExemplar | null];
type Answer = [string, string, string, string, AnsweredSample[]][] | { error: string };

/** A Python parser in a process that reads many texts, since starting it takes long. */
export class PythonParser {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor(format: 'text' | 'openmetrics' = 'text') {
    this.#child = spawn(PYTHON, ['-c', PROGRAM, format], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Parses one text. Rejects with the error of the parser. */
  async parse(text: string | Uint8Array): Promise<ParsedFamily[]> {
    this.#child.stdin.write(`${Buffer.from(text as string).toString('base64')}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('The Python process has ended');
    const answer = JSON.parse(value) as Answer;
    if ('error' in answer) throw new Error(answer.error);
    return answer.map(([name, type, help, unit, samples]) => ({
      name,
      type,
      help,
      unit,
      samples: samples.map(([sample, labels, number, timestamp, exemplar]) => ({
        name: sample,
        labels,
        value: numberOf(number),
        ...(timestamp !== null && { timestamp: numberOf(timestamp) }),
        ...(exemplar !== null && { exemplar: exemplarOf(exemplar) }),
      })),
    }));
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.stdin.end();
    await closed;
  }
}

function exemplarOf([labels, value, timestamp]: AnsweredExemplar): Exemplar {
  return {
    labels,
    value: numberOf(value),
    ...(timestamp !== null && { timestamp: numberOf(timestamp) }),
  };
}

/** Parses a number as Python or Go writes it. */
export function numberOf(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  return /^[+-]?inf$/i.test(text) ? sign * Number.POSITIVE_INFINITY : Number(text);
}
