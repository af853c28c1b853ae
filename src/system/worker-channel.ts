/**
 * The channel between the threads of a process: worker threads announce the memory that they write, and the main
 * thread reads it. It is one for all copies of this package in a thread, and does not keep a thread alive.
 *
 * A message is in the queue of every other thread when `post` returns, so those of a worker that ends at once arrive.
 * A page is announced before it is used; a thread that starts to listen later has all pages announced again.
 */
import { EventEmitter } from 'node:events';
import {
  BroadcastChannel,
  getEnvironmentData,
  isMainThread,
  receiveMessageOnPort,
  setEnvironmentData,
  threadId,
  type Worker,
} from 'node:worker_threads';

/** Names the channel, and the environment data with the lineage of a worker. */
const CHANNEL = 'metheus.workers.v1';

/** Memory that one worker thread writes. */
export interface WorkerPage {
  readonly thread: number;
  /** The threads that end with the main thread's own worker, from that one down to `thread`. */
  readonly lineage: readonly number[];
  /** Counts the pages of a thread and topic, from 0. */
  readonly number: number;
  readonly buffer: SharedArrayBuffer;
}

/** Contents of the messages by topic. */
export interface WorkerMessages {
  /** Records of series: see `backends/threads/page.ts`. */
  readonly 'metrics page': WorkerPage;
  /** Slots of a board: see `progress/remote/board.ts`. */
  readonly 'board page': WorkerPage;
  /** Cells in which bars count. */
  readonly 'bar page': WorkerPage;
  /** There are bars on a board that had none. */
  readonly 'bars shown': undefined;
  /** Text to be printed above the bars. */
  readonly print: { readonly stream: 'stdout' | 'stderr'; readonly text: string };
  /** A worker thread ended; sent to the main thread only. The threads that it started ended with it. */
  readonly 'thread ended': number;
  /** Asks for the pages of a topic. */
  readonly 'announce pages': PageTopic;
}

export type WorkerTopic = keyof WorkerMessages;
export type PageTopic = Extract<WorkerTopic, `${string} page`>;

interface Envelope {
  readonly topic: WorkerTopic;
  readonly content: unknown;
}

export class WorkerChannel {
  readonly #channel = new BroadcastChannel(CHANNEL);
  /** Emits the messages by topic. */
  readonly #topics = new EventEmitter();
  /** The pages that this thread has announced. */
  readonly #announced = new Map<PageTopic, WorkerPage[]>();
  readonly #lineage: readonly number[];

  constructor() {
    // Environment data is inherited by the workers of this thread, and by their workers.
    const inherited = (getEnvironmentData(CHANNEL) ?? []) as readonly number[];
    this.#lineage = isMainThread ? [] : [...inherited, threadId];
    setEnvironmentData(CHANNEL, [...this.#lineage]);
    this.#channel.onmessage = (event) => this.#dispatch((event as { data: Envelope }).data);
    this.#channel.unref();
    process.on('worker', (worker: Worker) => this.#watch(worker.threadId, worker));
    this.on('announce pages', (topic) => {
      for (const page of this.#announced.get(topic) ?? []) this.post(topic, page);
    });
  }

  /** Sends a message to all other threads. */
  post<Topic extends WorkerTopic>(topic: Topic, content: WorkerMessages[Topic]): void {
    this.#channel.postMessage({ topic, content } satisfies Envelope);
  }

  /** Calls a listener for every message of a topic from now on. A page may be announced to it more than once. */
  on<Topic extends WorkerTopic>(topic: Topic, listener: (content: WorkerMessages[Topic]) => void): void {
    this.#topics.on(topic, listener);
    if (topic.endsWith(' page')) this.post('announce pages', topic as PageTopic);
  }

  /** Announces a page of this thread, which is to be used afterwards only. Returns its number. */
  announce(topic: PageTopic, buffer: SharedArrayBuffer): number {
    const pages = this.#announced.get(topic) ?? [];
    this.#announced.set(topic, pages);
    const page = { thread: threadId, lineage: this.#lineage, number: pages.length, buffer };
    pages.push(page);
    this.post(topic, page);
    return page.number;
  }

  /** Receives what is queued, without waiting for the event loop. */
  drain(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) this.#dispatch(next);
  }

  #next(): Envelope | undefined {
    return receiveMessageOnPort(this.#channel as never)?.message as Envelope | undefined;
  }

  #dispatch({ topic, content }: Envelope): void {
    this.#topics.emit(topic, content);
  }

  /** Reports the end of a worker of this thread, whether it returned, failed or was terminated. */
  #watch(thread: number, worker: Worker): void {
    worker.once('exit', () => {
      if (!isMainThread) {
        this.post('thread ended', thread);
        return;
      }
      // The end must not overtake pages that the worker has announced.
      this.drain();
      this.#dispatch({ topic: 'thread ended', content: thread });
    });
  }
}

const KEY = Symbol.for(CHANNEL);
const global = globalThis as { [KEY]?: WorkerChannel };

/** Returns the channel of this thread. */
export function workerChannel(): WorkerChannel {
  global[KEY] ??= new WorkerChannel();
  return global[KEY];
}
