/** Monotonic time and timers, injected so that tests can set them. */
export interface LineClock {
  nowMs(): number;
  /** Calls back after so many ms (never earlier by the caller's own reckoning: it looks at `nowMs` again). Returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const SYSTEM_CLOCK: LineClock = {
  nowMs: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Where a line delivers: a writable half of a socket. */
export interface LineSink {
  /** Returns false when nothing more should come until `DelayLine.drained` is called. */
  write(chunk: Uint8Array): boolean;
  end(): void;
}

export interface DelayLineOptions {
  readonly delayMs: number;
  /** On the line's clock: what is pushed before counts as pushed then (the connection isn't open yet). */
  readonly openAtMs: number;
  readonly sink: LineSink;
  /** There is room again after `push` returned false. */
  readonly onSpace: () => void;
  readonly clock: LineClock;
}

/** Bytes on the way in one direction; beyond, the sender is paused, as a TCP window would: 6 MB/s at 160 ms. */
const CAPACITY_BYTES = 1024 * 1024;

/**
 * One direction of a connection: hands on what it was given, in order, each chunk a fixed time after it was pushed, the end of
 * the stream last. Bounded: `push` says when to stop, `onSpace` when to go on. Without delay nothing is queued unless the sink is full.
 */
export class DelayLine {
  readonly #options: DelayLineOptions;
  readonly #queue: { readonly chunk: Uint8Array | null; readonly dueMs: number }[] = [];
  #queuedBytes = 0;
  #isSinkFull = false;
  #owesSpace = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: DelayLineOptions) {
    this.#options = options;
  }

  /** Returns false when the sender should pause. */
  push(chunk: Uint8Array): boolean {
    this.#enqueue(chunk);
    const hasRoom = this.#hasRoom();
    this.#owesSpace ||= !hasRoom;
    return hasRoom;
  }

  /** The sender has ended: passed on behind what is queued. */
  end(): void {
    this.#enqueue(null);
  }

  /** The sink can take more. */
  drained(): void {
    this.#isSinkFull = false;
    this.#deliver();
  }

  /** Drops what is queued and stops. */
  clear(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#owesSpace = false;
  }

  #enqueue(chunk: Uint8Array | null): void {
    const { clock, delayMs, openAtMs } = this.#options;
    this.#queue.push({ chunk, dueMs: Math.max(clock.nowMs(), openAtMs) + delayMs });
    this.#queuedBytes += chunk?.length ?? 0;
    if (this.#cancelTimer === undefined) this.#deliver();
  }

  #hasRoom(): boolean {
    return !this.#isSinkFull && this.#queuedBytes < CAPACITY_BYTES;
  }

  #deliver(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { clock, sink, onSpace } = this.#options;
    while (!this.#isSinkFull) {
      const head = this.#queue[0];
      if (head === undefined) break;
      const waitMs = head.dueMs - clock.nowMs();
      if (waitMs > 0) {
        this.#cancelTimer = clock.after(Math.ceil(waitMs), () => this.#deliver());
        break;
      }
      this.#queue.shift();
      if (head.chunk === null) {
        sink.end();
      } else {
        this.#queuedBytes -= head.chunk.length;
        this.#isSinkFull = !sink.write(head.chunk);
      }
    }
    if (this.#owesSpace && this.#hasRoom()) {
      this.#owesSpace = false;
      onSpace();
    }
  }
}
