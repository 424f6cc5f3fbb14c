import { fileURLToPath } from "node:url";
import type { Cancel, Clock } from "../clock.ts";
import type { Diagnostics } from "../diagnostics.ts";
import { describeError } from "../errors.ts";
import { ScriptCache } from "./script-cache.ts";
import type { ScriptPosition, SourceLookup, SourcePosition } from "./script-position.ts";
import { isFileScript } from "./script-position.ts";
import type { SourceMapAnswer, SourceMapRequest } from "./source-map-messages.ts";

/** What became of the scripts that were seen in profiles. */
export interface SourceMapStatus {
  /** Scripts with a source map. */
  readonly mappedCount: number;
  /** Scripts that name a source map that cannot be read. */
  readonly missingCount: number;
}

/** A way to the thread that answers {@link SourceMapRequest}s. */
export interface SourceMapThread {
  postMessage(request: SourceMapRequest): void;
  terminate(): Promise<unknown>;
}

/** Who hears of a thread. */
export interface SourceMapThreadListener {
  readonly onAnswer: (answer: SourceMapAnswer) => void;
  readonly onError: (error: unknown) => void;
}

/** What source maps need. */
export interface SourceMapsOptions {
  /** Undefined where maps are only read at once. */
  readonly startThread: ((listener: SourceMapThreadListener) => SourceMapThread) | undefined;
  readonly clock: Clock;
  readonly diagnostics: Diagnostics;
}

// Some 100 bytes each. More than that many functions in profiles of one process are not one program.
const MAX_POSITIONS = 100_000;

// Functions of new scripts are seen in the first windows; afterwards maps in the thread's memory are of no use.
const IDLE_MS = 10_000;

// A map takes 100 ms, the thread's start as much; a disk that hangs must not hold up profiles for ever.
const RESOLVE_TIMEOUT_MS = 5000;

/**
 * Source positions of the functions in profiles, from source maps that another thread reads: of each script when
 * it is first seen, and never again. What is not known by the deadline is shown as it runs.
 */
export class SourceMaps implements SourceLookup {
  readonly #options: SourceMapsOptions;
  readonly #known = new Map<string, Map<string, SourcePosition | undefined>>();
  readonly #unmapped = new Set<string>();
  readonly #mapped = new Set<string>();
  readonly #waiting = new Map<number, (answer: SourceMapAnswer | undefined) => void>();
  readonly #expiries = new Set<() => void>();
  #positionCount = 0;
  #missingCount = 0;
  #lastId = 0;
  #thread: SourceMapThread | undefined;
  #cancelIdle: Cancel | undefined;
  #isBroken = false;

  constructor(options: SourceMapsOptions) {
    this.#options = options;
  }

  get status(): SourceMapStatus {
    return { mappedCount: this.#mapped.size, missingCount: this.#missingCount };
  }

  /** False where only {@link SourceMaps.resolveAtOnce} finds anything. */
  get hasThread(): boolean {
    return this.#options.startThread !== undefined;
  }

  find(position: ScriptPosition): SourcePosition | undefined {
    return this.#known.get(position.scriptName)?.get(keyOf(position));
  }

  /** Finds what is not yet known of `positions`, until {@link SourceMaps.expire}. Never rejects. */
  async resolve(positions: readonly ScriptPosition[]): Promise<void> {
    const unknown = this.#groupUnknown(positions);
    if (unknown.size === 0 || this.#isBroken || this.#options.startThread === undefined) return;
    let expire: () => void = () => undefined;
    const expired = new Promise<void>((resolve) => {
      expire = resolve;
    });
    this.#expiries.add(expire);
    const cancel = this.#options.clock.after(RESOLVE_TIMEOUT_MS, expire);
    const answered = Array.from(unknown, ([scriptName, group]) => this.#ask(scriptName, group));
    await Promise.race([Promise.all(answered), expired]);
    cancel();
    this.#expiries.delete(expire);
    this.#waitForIdle();
  }

  /** Lets those who wait go on with what is known. Answers that come later are for later profiles. */
  expire(): void {
    for (const expire of this.#expiries) expire();
  }

  /**
   * As {@link SourceMaps.resolve}, on this thread, for the moment when no further turn of the event loop comes: of as many
   * scripts as can be begun within `timeoutMs`.
   */
  resolveAtOnce(positions: readonly ScriptPosition[], timeoutMs: number): void {
    const { clock } = this.#options;
    const endMs = clock.nowMonotonicMs() + timeoutMs;
    const cache = new ScriptCache(0);
    for (const [scriptName, group] of this.#groupUnknown(positions)) {
      if (clock.nowMonotonicMs() >= endMs) return;
      this.#keep(
        scriptName,
        group,
        cache.answer({ id: 0, scriptPath: toPath(scriptName), positions: group }),
      );
    }
  }

  /** Ends the thread. What is known stays. */
  close(): void {
    this.#cancelIdle?.();
    this.#isBroken = true;
    this.#endThread();
  }

  #groupUnknown(positions: readonly ScriptPosition[]): Map<string, ScriptPosition[]> {
    const groups = new Map<string, ScriptPosition[]>();
    for (const position of positions) {
      const { scriptName } = position;
      if (!isFileScript(scriptName) || this.#unmapped.has(scriptName)) continue;
      if (this.#known.get(scriptName)?.has(keyOf(position)) === true) continue;
      const group = groups.get(scriptName);
      if (group === undefined) groups.set(scriptName, [position]);
      else group.push(position);
    }
    return groups;
  }

  async #ask(scriptName: string, group: readonly ScriptPosition[]): Promise<void> {
    const scriptPath = toPath(scriptName);
    this.#lastId++;
    const id = this.#lastId;
    const positions = group.map(({ line, column, name }) => ({ line, column, name }));
    const answer = await new Promise<SourceMapAnswer | undefined>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#post({ id, scriptPath, positions });
    });
    if (answer !== undefined) this.#keep(scriptName, group, answer);
  }

  #post(request: SourceMapRequest): void {
    try {
      this.#thread ??= this.#startThread();
      this.#thread?.postMessage(request);
    } catch (error) {
      this.#fail(error);
    }
  }

  #startThread(): SourceMapThread | undefined {
    return this.#options.startThread?.({
      onAnswer: (answer) => {
        const settle = this.#waiting.get(answer.id);
        this.#waiting.delete(answer.id);
        settle?.(answer);
      },
      onError: (error) => this.#fail(error),
    });
  }

  #keep(scriptName: string, group: readonly ScriptPosition[], answer: SourceMapAnswer): void {
    if (answer.kind !== "mapped") {
      this.#unmapped.add(scriptName);
      if (answer.kind === "missing") this.#missingCount++;
      if (answer.reason !== undefined) this.#options.diagnostics.debug(`source map: ${answer.reason}`);
      return;
    }
    if (this.#positionCount + group.length > MAX_POSITIONS) {
      this.#known.clear();
      this.#positionCount = 0;
    }
    this.#mapped.add(scriptName);
    const known = this.#known.get(scriptName) ?? new Map<string, SourcePosition | undefined>();
    this.#known.set(scriptName, known);
    for (const [i, position] of group.entries()) known.set(keyOf(position), answer.positions[i]);
    this.#positionCount += group.length;
  }

  /** Profiles go on without what is not known yet. */
  #fail(error: unknown): void {
    this.#isBroken = true;
    this.#options.diagnostics.warnOnce(
      "source-maps",
      `source maps are not read any more: ${describeError(error)}`,
    );
    this.#endThread();
  }

  #waitForIdle(): void {
    this.#cancelIdle?.();
    this.#cancelIdle = this.#options.clock.after(IDLE_MS, () => {
      if (this.#waiting.size === 0) this.#endThread();
    });
  }

  #endThread(): void {
    const thread = this.#thread;
    this.#thread = undefined;
    for (const settle of this.#waiting.values()) settle(undefined);
    this.#waiting.clear();
    // A thread that ends never rejects.
    void thread?.terminate();
  }
}

function keyOf({ line, column, name }: ScriptPosition): string {
  return `${line}:${column}:${name}`;
}

function toPath(scriptName: string): string {
  try {
    return scriptName.startsWith("file://") ? fileURLToPath(scriptName) : scriptName;
  } catch {
    return scriptName;
  }
}
