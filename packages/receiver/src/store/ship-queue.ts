import type { Clock, Timer } from "../clock.ts";
import { ReceiverError } from "../errors.ts";

/** Something to be done in a bucket. */
export interface ShipJob {
  readonly kind: "upload" | "remove";
  /** What it is about, for log lines. */
  readonly what: string;
  run(): Promise<void>;
}

export interface ShipQueueOptions {
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** How long a queue that closes waits for what is on its way. */
const CLOSE_TIMEOUT_MS = 10_000;

/** Does jobs one after the other in their order, each again until it works. */
export class ShipQueue {
  readonly #options: ShipQueueOptions;
  readonly #jobs: ShipJob[] = [];
  #failure: string | undefined;
  #failedUploadCount = 0;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  /** What fails now is left for the next start. */
  #isClosing = false;
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(options: ShipQueueOptions) {
    this.#options = options;
  }

  /** Why the last attempt failed, or undefined. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Uploads that failed since the start. */
  get failedUploadCount(): number {
    return this.#failedUploadCount;
  }

  add(job: ShipJob): void {
    this.#jobs.push(job);
    this.#start();
  }

  /** Does what is left, for a while. */
  async close(): Promise<void> {
    if (this.#failure === undefined) {
      this.#isClosing = true;
      let timer: Timer | undefined;
      const late = new Promise<void>((resolve) => {
        timer = this.#options.clock.setTimer(resolve, CLOSE_TIMEOUT_MS);
      });
      await Promise.race([this.#running, late]);
      timer?.cancel();
    }
    this.#isClosed = true;
    this.#wake();
    await this.#running;
  }

  #start(): void {
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    this.#running = this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  async #run(): Promise<void> {
    let delay = FIRST_RETRY_MS;
    for (let job = this.#jobs[0]; job !== undefined && !this.#isClosed; job = this.#jobs[0]) {
      this.#failure = await this.#try(job);
      if (this.#failure === undefined) {
        this.#jobs.shift();
        delay = FIRST_RETRY_MS;
      } else {
        if (this.#isClosing) return;
        await this.#wait(delay);
        delay = Math.min(2 * delay, LAST_RETRY_MS);
      }
    }
  }

  /** Returns why the job must be tried again, or undefined. */
  async #try({ kind, what, run }: ShipJob): Promise<string | undefined> {
    try {
      await run();
      return undefined;
    } catch (error) {
      if (kind === "upload") this.#failedUploadCount++;
      const reason = error instanceof Error ? error.message : String(error);
      // Once for each reason: a bucket that is away for a night is no news each time.
      if (reason !== this.#failure) this.#options.log(`${kind} of ${what}: ${reason}`);
      // Trying again does not help against another object in its place.
      return error instanceof ReceiverError && error.code === "CONFLICT" ? undefined : reason;
    }
  }

  async #wait(delayMillis: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(resolve, delayMillis);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
      if (this.#isClosed) this.#wake();
    });
  }
}
