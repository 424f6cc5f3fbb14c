import type { Diagnostics } from "./diagnostics.ts";

/** What a governor needs. */
export interface GovernorOptions {
  readonly sampleRateHz: number;
  /** What profiling may cost, in percent of one CPU core. */
  readonly budgetPercent: number;
  /** Changes the rate from now on. */
  readonly setSampleRate: (hz: number) => void;
  readonly diagnostics: Diagnostics;
}

/** What profiling costs, and what is done about it. */
export interface OverheadStatus {
  /** Percent of one CPU core: an estimate for samples, measured for windows. Undefined until 10 s were judged. */
  readonly percent: number | undefined;
  readonly budgetPercent: number;
  /** CPU and wall samples per second, now. */
  readonly sampleRateHz: number;
  /** CPU milliseconds of the profiled thread for reading, converting and handing over windows. */
  readonly threadMs: number;
  /** CPU milliseconds of the helper thread for encoding and compressing them. */
  readonly helperMs: number;
}

// A sample suspends the thread and walks its stack: 1,000 a second cost 9 % of a core (Node 20 and 24, JSON and SHA handler).
const SAMPLE_COST_MS = 0.09;

// Shorter stretches say little: a flush() after a call of 100 ms would look like half of the time.
const MIN_JUDGED_MS = 10_000;

// A sixteenth: six samples a second still tell what is hot over some minutes.
const MAX_DIVISOR = 16;

// Twice the rate must cost clearly less than the budget, or the rate would go up and down.
const RECOVERY_SHARE = 0.8;

/**
 * Keeps what profiling costs within its budget: halves the sample rate while it is above, and doubles it again, up to what
 * was asked for, when there is room. Says so once each way.
 */
export class Governor {
  readonly #options: GovernorOptions;
  #divisor = 1;
  #elapsedMs = 0;
  #costMs = 0;
  #threadMs = 0;
  #helperMs = 0;
  #percent: number | undefined;

  constructor(options: GovernorOptions) {
    this.#options = options;
  }

  get status(): OverheadStatus {
    return {
      percent: this.#percent,
      budgetPercent: this.#options.budgetPercent,
      sampleRateHz: this.#rateHz,
      threadMs: this.#threadMs,
      helperMs: this.#helperMs,
    };
  }

  /** Takes what the windows of the last `elapsedMs` cost. */
  observe(elapsedMs: number, threadMs: number, helperMs: number): void {
    this.#elapsedMs += elapsedMs;
    this.#costMs += threadMs + helperMs;
    this.#threadMs += threadMs;
    this.#helperMs += helperMs;
    if (this.#elapsedMs < MIN_JUDGED_MS) return;
    const windowPercent = (this.#costMs / this.#elapsedMs) * 100;
    this.#elapsedMs = 0;
    this.#costMs = 0;
    this.#judge(windowPercent);
  }

  get #rateHz(): number {
    return Math.max(1, Math.round(this.#options.sampleRateHz / this.#divisor));
  }

  #judge(windowPercent: number): void {
    const { budgetPercent } = this.#options;
    const percent = windowPercent + (this.#rateHz * SAMPLE_COST_MS) / 10;
    this.#percent = percent;
    if (percent > budgetPercent) {
      if (this.#divisor < MAX_DIVISOR && this.#rateHz > 1) this.#change(this.#divisor * 2);
    } else if (this.#divisor > 1 && percent * 2 < budgetPercent * RECOVERY_SHARE) {
      this.#change(this.#divisor / 2);
    }
  }

  #change(divisor: number): void {
    const { budgetPercent, diagnostics, sampleRateHz, setSampleRate } = this.#options;
    this.#divisor = divisor;
    setSampleRate(this.#rateHz);
    if (divisor === 1) {
      diagnostics.forget("overhead");
      diagnostics.info(
        `profiling costs less than its budget again: back to ${sampleRateHz} samples a second`,
      );
      return;
    }
    diagnostics.warnOnce(
      "overhead",
      `profiling costs ${this.#percent?.toFixed(1)} % of a core (overheadBudget=${budgetPercent}): fewer samples are taken until it fits`,
    );
  }
}
