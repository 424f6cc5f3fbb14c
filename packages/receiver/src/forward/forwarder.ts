import type { Clock, Timer } from "../clock.ts";
import type { ReceiverLogger } from "../telemetry/log.ts";
import type { MetricSet } from "../telemetry/metrics.ts";
import type { ForwardedPush } from "./forwarded-push.ts";
import type { SendOutcome, SendPush } from "./send-push.ts";

/** Sends a copy of accepted pushes to another Pyroscope, from memory and in the background. */
export interface Forwarder {
  /** Takes a push over; returns at once, and never throws. */
  add(push: ForwardedPush): void;
  /** Bytes that wait or are on their way. */
  readonly waitingBytes: number;
  /** Takes nothing more, and waits until what waits is sent, at most `timeoutMs`; the rest is counted as dropped. */
  stop(timeoutMs: number): Promise<void>;
}

/** What {@link createForwarder} works with. */
export interface ForwarderOptions {
  readonly send: SendPush;
  /** Above it the oldest push that waits is dropped. */
  readonly maxWaitingBytes: number;
  readonly clock: Clock;
  readonly metrics: Pick<MetricSet, "forwardedPushes">;
  readonly log: Pick<ReceiverLogger, "warn" | "info">;
}

/** What became of a push, as the metric names it. */
type ForwardOutcome = "sent" | "refused" | "failed" | "dropped";

// Enough for a server in the same network at 200 pushes a second; more would only queue there.
const MAX_SENDS = 4;
// With waits of 0.5 s doubling to 30 s, a server may be away for four minutes before pushes are given up.
const MAX_TRIES = 12;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
// A server may ask for more time, but not hold the few places for days.
const LONGEST_RETRY_AFTER_MS = 300_000;

/** Makes a forwarder. Order is not kept: profiles carry their time. */
export function createForwarder(options: ForwarderOptions): Forwarder {
  return new QueueForwarder(options);
}

class QueueForwarder implements Forwarder {
  readonly #options: ForwarderOptions;
  readonly #waiting: ForwardedPush[] = [];
  readonly #pauses = new Map<Timer, () => void>();
  #waitingBytes = 0;
  #sendCount = 0;
  #isStopping = false;
  #isAway = false;
  #lastRefusal = "";
  #onIdle: (() => void) | undefined;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  add(push: ForwardedPush): void {
    if (this.#isStopping || push.body.length > this.#options.maxWaitingBytes) {
      this.#count("dropped");
      return;
    }
    this.#waiting.push(push);
    this.#waitingBytes += push.body.length;
    // What is on its way has its place: when all of it is, the new one goes.
    while (this.#waitingBytes > this.#options.maxWaitingBytes) this.#dropOldest();
    this.#sendNext();
  }

  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    const late = this.#options.clock.setTimer(() => this.#onIdle?.(), timeoutMs);
    // What waits for its next try has it now.
    for (const [timer, resume] of this.#pauses) {
      timer.cancel();
      resume();
    }
    this.#pauses.clear();
    this.#sendNext();
    await idle;
    late.cancel();
    while (this.#waiting.length > 0) this.#dropOldest();
  }

  #sendNext(): void {
    while (this.#sendCount < MAX_SENDS) {
      const push = this.#waiting.shift();
      if (push === undefined) break;
      this.#sendCount++;
      void this.#deliver(push).then((outcome) => {
        this.#sendCount--;
        this.#waitingBytes -= push.body.length;
        this.#count(outcome);
        this.#sendNext();
      });
    }
    if (this.#sendCount === 0) this.#onIdle?.();
  }

  async #deliver(push: ForwardedPush): Promise<ForwardOutcome> {
    for (let tryIndex = 0; ; tryIndex++) {
      const outcome = await this.#options.send(push);
      this.#report(outcome);
      if (outcome.kind === "taken") return "sent";
      if (outcome.kind === "refused") return "refused";
      // While the receiver stops there is no time to wait for a server that is away.
      if (tryIndex + 1 === MAX_TRIES || this.#isStopping) return "failed";
      const ownMs = Math.min(FIRST_WAIT_MS * 2 ** tryIndex, LONGEST_WAIT_MS);
      await this.#pause(Math.min(outcome.retryAfterMs ?? ownMs, LONGEST_RETRY_AFTER_MS));
    }
  }

  async #pause(millis: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(() => {
        this.#pauses.delete(timer);
        resolve();
      }, millis);
      this.#pauses.set(timer, resolve);
    });
  }

  #dropOldest(): void {
    const push = this.#waiting.shift();
    if (push === undefined) return;
    this.#waitingBytes -= push.body.length;
    this.#count("dropped");
  }

  /** Says once that the other server is away, once that it is back, and a refusal when its text is another. */
  #report(outcome: SendOutcome): void {
    const { log } = this.#options;
    if (outcome.kind === "failed" && !this.#isAway) {
      log.warn(
        { reason: outcome.message },
        "pushes cannot be forwarded; they wait, and the oldest are dropped",
      );
    }
    if (outcome.kind === "refused" && outcome.message !== this.#lastRefusal) {
      this.#lastRefusal = outcome.message;
      log.warn({ reason: outcome.message }, "a push was refused by the server that it was forwarded to");
    }
    if (outcome.kind !== "failed" && this.#isAway) log.info("pushes are forwarded again");
    this.#isAway = outcome.kind === "failed";
  }

  #count(outcome: ForwardOutcome): void {
    this.#options.metrics.forwardedPushes.inc({ outcome });
  }
}
