import type { Clock, Timer } from "./clock.ts";
import { ReceiverError } from "./errors.ts";
import type { StorageService, StorageStatus } from "./worker/storage-service.ts";

/** How often the storage thread is asked how it is. */
const POLL_INTERVAL_MS = 1000;

/** A storage thread that has not answered for this long is stuck or overloaded: traffic should go elsewhere. */
const SILENCE_MS = 15_000;

/** Whether the receiver can take pushes and answer queries, and why not. */
export interface Readiness {
  /** Why not; empty when it can. */
  readonly reasons: readonly string[];
  /** What the storage said last; undefined before its first answer. */
  readonly storage: StorageStatus | undefined;
  /** Says that the server stops: from now on it is not ready. */
  stop(): void;
  /**
   * @throws {@link ReceiverError} `UNAVAILABLE` while the replay runs and when the server stops. A disk that takes no writes is
   * not a reason: reads go on, and each write is answered for itself.
   */
  checkServing(): void;
}

/** Options of {@link createReadiness}. */
export interface ReadinessOptions {
  readonly storage: Pick<StorageService, "ready" | "status">;
  readonly clock: Pick<Clock, "monotonicMillis" | "setTimer">;
}

/**
 * Follows the storage thread.
 *
 * Its state is asked for in the background and remembered, so that health checks are answered at once even while it works.
 */
export function createReadiness({ storage, clock }: ReadinessOptions): Readiness {
  let phase: "replaying" | "serving" | "stopping" = "replaying";
  let status: StorageStatus | undefined;
  let lastAnswer = clock.monotonicMillis();
  let isAsking = false;

  const ask = async (): Promise<void> => {
    if (isAsking || phase === "stopping") return;
    isAsking = true;
    try {
      status = await storage.status();
      lastAnswer = clock.monotonicMillis();
    } catch {
      // Silence is the reason that is shown; what ended the thread is logged where it is noticed.
    } finally {
      isAsking = false;
    }
  };

  const poll = (): Timer =>
    clock.setTimer(() => {
      void ask();
      timer = poll();
    }, POLL_INTERVAL_MS);
  let timer = poll();

  const serve = async (): Promise<void> => {
    await storage.ready();
    await ask();
    if (phase === "replaying") phase = "serving";
  };
  // A storage that cannot be opened stops the process, in main.ts.
  serve().catch(() => undefined);

  return {
    get reasons() {
      if (phase === "stopping") return ["the server is stopping"];
      if (phase === "replaying") return ["storage: the write-ahead log is being replayed"];
      const silence = clock.monotonicMillis() - lastAnswer;
      if (silence > SILENCE_MS) return [`storage: no answer for ${Math.round(silence / 1000)} s`];
      return status?.takesWrites === false ? ["storage: the disk does not take writes"] : [];
    },
    get storage() {
      return status;
    },
    stop() {
      phase = "stopping";
      timer.cancel();
    },
    checkServing() {
      if (phase === "serving") return;
      const reason = phase === "stopping" ? "the server is stopping" : "the server is starting";
      throw new ReceiverError(reason, { code: "UNAVAILABLE" });
    },
  };
}
