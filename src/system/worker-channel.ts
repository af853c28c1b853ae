/**
 * The channel between the threads of a process: worker threads announce the memory that they write, and the main
 * thread reads it. All copies of this package in a thread share one channel, which does not keep the thread alive.
 *
 * When `post` returns, the message is in the queue of every other thread, so it arrives even if the worker ends at
 * once. A page is announced before it is used. A thread that starts to listen later requests all announcements again.
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

/** Name of the broadcast channel, and key of the environment data that contain the lineage of a worker. */
const CHANNEL = 'metheus.workers.v1';

/** Milliseconds in which the event loop delivers the last messages of a worker that has ended. */
const DELIVERY_MS = 100;

/** Memory that one worker thread writes. */
export interface WorkerPage {
  readonly thread: number;
  /**
   * Ids of the thread's ancestors, from a worker of the main thread down, and of the thread itself. When a thread ends,
   * all threads that it started end too.
   */
  readonly lineage: readonly number[];
  /** Index of the page among all pages that its thread announced with the same topic. */
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
  /** Sent when bars appear on a board that had none. */
  readonly 'bars shown': undefined;
  /** A request to delete the series that ended threads and processes left in a family: see `Backend.removeEnded`. */
  readonly 'series removed': { readonly family: unknown; readonly labels: readonly (string | undefined)[] };
  /** Text to be printed above the bars. */
  readonly print: { readonly stream: 'stdout' | 'stderr'; readonly text: string };
  /** A worker thread ended; sent to the main thread only. The threads that it started ended with it. */
  readonly 'thread ended': number;
  /** Requests that all pages of a topic are announced again. */
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
  /** Whether queued messages can be read without the event loop. In Deno, they cannot. */
  #isReadable = true;

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

  /** Makes the main thread handle a message as if another thread had sent it. */
  deliver<Topic extends WorkerTopic>(topic: Topic, content: WorkerMessages[Topic]): void {
    if (isMainThread) this.#dispatch({ topic, content });
    else this.post(topic, content);
  }

  /** Adds a listener for the messages of a topic. It may receive the same page more than once. */
  on<Topic extends WorkerTopic>(topic: Topic, listener: (content: WorkerMessages[Topic]) => void): void {
    this.#topics.on(topic, listener);
    if (topic.endsWith(' page')) this.post('announce pages', topic as PageTopic);
  }

  /** Announces a page of this thread and returns its number. The page must not be used before. */
  announce(topic: PageTopic, buffer: SharedArrayBuffer): number {
    const pages = this.#announced.get(topic) ?? [];
    this.#announced.set(topic, pages);
    const page = { thread: threadId, lineage: this.#lineage, number: pages.length, buffer };
    pages.push(page);
    this.post(topic, page);
    return page.number;
  }

  /** Handles the queued messages immediately, if the runtime can read them without the event loop. */
  drain(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) this.#dispatch(next);
  }

  #next(): Envelope | undefined {
    if (!this.#isReadable) return undefined;
    try {
      return receiveMessageOnPort(this.#channel as never)?.message as Envelope | undefined;
    } catch {
      this.#isReadable = false;
      return undefined;
    }
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
      // Pages that the worker announced may still be in the queue. They must be handled before its end.
      this.drain();
      const end = () => this.#dispatch({ topic: 'thread ended', content: thread });
      if (this.#isReadable) end();
      else setTimeout(end, DELIVERY_MS).unref();
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
