import type { Cancel, Clock } from "./clock.ts";
import type { Diagnostics } from "./diagnostics.ts";
import type { Label } from "./labels/label.ts";

/** What a server may ask to have recorded. */
interface CaptureOrder {
  readonly id: string;
  readonly kind: "cpu" | "allocations";
  readonly seconds: number;
}

/** What remote captures need. */
export interface RemoteCapturesOptions {
  /** Changes the rate with the end of the window, or back to what it was with undefined. */
  readonly setSampleRate: (hz: number | undefined) => void;
  /** Ends the window of CPU and wall time, whose profiles get `mark`. */
  readonly cutWindow: (mark: readonly Label[]) => void;
  /** Records allocations. Never rejects. */
  readonly captureAllocations: (durationMs: number) => Promise<{ readonly error: string | undefined }>;
  readonly clock: Clock;
  readonly diagnostics: Diagnostics;
}

const SAMPLE_RATE_HZ = 1000;

// A sample costs 0.09 ms: a minute at 1 kHz is 5 s of CPU time.
const MAX_SECONDS = 60;

// It becomes the value of a label.
const ID = /^[\w-]{1,64}$/;

/**
 * Records what a server asks for, one order at a time: CPU samples at 1 kHz or all allocations, for a minute at the
 * most. The profiles come with the next windows, with the label `capture`.
 */
export class RemoteCaptures {
  readonly #options: RemoteCapturesOptions;
  #running: CaptureOrder | undefined;
  #cancel: Cancel | undefined;
  #isStopped = false;

  constructor(options: RemoteCapturesOptions) {
    this.#options = options;
  }

  /** Labels of the windows of one kind that end now. */
  markOf(kind: CaptureOrder["kind"]): readonly Label[] {
    return this.#running?.kind === kind ? [{ name: "capture", value: this.#running.id }] : [];
  }

  /** Takes an order as the server wrote it. Never throws. */
  take(text: string): void {
    const { diagnostics } = this.#options;
    const order = readOrder(text);
    if (order === undefined) {
      diagnostics.warn(
        `capture order refused: ${text.slice(0, 200)}: expected id, kind cpu or allocations, seconds 1 to ${MAX_SECONDS}`,
      );
      return;
    }
    if (this.#isStopped || this.#running !== undefined) {
      diagnostics.warn(`capture order ${order.id} refused: ${this.#running?.id ?? "the end"} is under way`);
      return;
    }
    diagnostics.info(
      `recording ${order.kind} for ${order.seconds} s as the server asks: capture=${order.id}`,
    );
    if (order.kind === "cpu") this.#recordCpu(order);
    else void this.#recordAllocations(order);
  }

  /** What is under way ends with the run. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #recordCpu(order: CaptureOrder): void {
    const { setSampleRate, cutWindow, clock } = this.#options;
    setSampleRate(SAMPLE_RATE_HZ);
    cutWindow([]);
    this.#running = order;
    this.#cancel = clock.after(order.seconds * 1000, () => {
      setSampleRate(undefined);
      cutWindow(this.markOf("cpu"));
      this.#running = undefined;
    });
  }

  async #recordAllocations(order: CaptureOrder): Promise<void> {
    this.#running = order;
    const { error } = await this.#options.captureAllocations(order.seconds * 1000);
    if (error !== undefined) this.#options.diagnostics.warn(`capture ${order.id}: ${error}`);
    this.#running = undefined;
  }
}

function readOrder(text: string): CaptureOrder | undefined {
  let order: unknown;
  try {
    order = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof order !== "object" || order === null) return undefined;
  const { id, kind, seconds } = order as Readonly<Record<string, unknown>>;
  if (typeof id !== "string" || !ID.test(id)) return undefined;
  if (kind !== "cpu" && kind !== "allocations") return undefined;
  if (typeof seconds !== "number" || !(seconds >= 1 && seconds <= MAX_SECONDS)) return undefined;
  return { id, kind, seconds };
}
