/** How much the SDK says: everything from this level up. `off` says nothing. */
export type LogLevel = "off" | "error" | "warn" | "info" | "debug";

/** Where the SDK's own lines go. `console`, pino, winston and bunyan fit as they are. */
export interface Logger {
  readonly error: (message: string) => void;
  readonly warn: (message: string) => void;
  readonly info: (message: string) => void;
  readonly debug: (message: string) => void;
}

type Severity = Exclude<LogLevel, "off">;

const RANK: { readonly [L in LogLevel]: number } = { off: 0, error: 1, warn: 2, info: 3, debug: 4 };

// A text said `once` is remembered by its key; the keys are few and fixed, but a bound costs nothing.
const MAX_SAID = 1000;

// The warnings that status() repeats: the latest ones.
const MAX_WARNINGS = 20;

/** Writes to standard error, so that a program's output stays its own. */
export const standardErrorLogger: Logger = {
  error: (message) => void process.stderr.write(`${message}\n`),
  warn: (message) => void process.stderr.write(`${message}\n`),
  info: (message) => void process.stderr.write(`${message}\n`),
  debug: (message) => void process.stderr.write(`${message}\n`),
};

/** Says nothing. */
export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};

/** What the SDK says about itself. Nothing here throws, also when the user's logger does. */
export class Diagnostics {
  readonly #logger: Logger;
  readonly #rank: number;
  readonly #said = new Set<string>();
  readonly #warnings: string[] = [];

  constructor(logger: Logger, level: LogLevel) {
    this.#logger = logger;
    this.#rank = RANK[level];
  }

  /** The latest warnings and errors, oldest first, whether or not the level let them through. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  error(message: string): void {
    this.#say("error", message);
  }

  warn(message: string): void {
    this.#say("warn", message);
  }

  info(message: string): void {
    this.#say("info", message);
  }

  debug(message: string): void {
    this.#say("debug", message);
  }

  /** Warns the first time that `key` is given, until {@link Diagnostics.forget} is called with it. */
  warnOnce(key: string, message: string): void {
    if (this.#said.has(key)) return;
    if (this.#said.size < MAX_SAID) this.#said.add(key);
    this.warn(message);
  }

  /** True when {@link Diagnostics.warnOnce} has been called with `key`, which may now be said again. */
  forget(key: string): boolean {
    return this.#said.delete(key);
  }

  #say(severity: Severity, message: string): void {
    if (RANK[severity] <= RANK.warn) {
      this.#warnings.push(message);
      if (this.#warnings.length > MAX_WARNINGS) this.#warnings.shift();
    }
    if (RANK[severity] > this.#rank) return;
    try {
      this.#logger[severity](`pyroscope: ${message}`);
    } catch {
      // The user's logger failed: there is nobody left to tell.
    }
  }
}
