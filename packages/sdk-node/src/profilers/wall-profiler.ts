import { AsyncLocalStorage } from "node:async_hooks";
import type { Cancel, Clock } from "../clock.ts";
import type { CostMeter } from "../cost-meter.ts";
import type { Diagnostics } from "../diagnostics.ts";
import { describeError, SdkError } from "../errors.ts";
import type { LabelContext } from "../labels/label-context.ts";
import { FrameLabelContext, HookLabelContext, noLabelContext } from "../labels/label-context.ts";
import type { LabelSets } from "../labels/label-set.ts";
import { toContext } from "../labels/sample-context.ts";
import { SampleLabelReader } from "../labels/sample-labels.ts";
import type { ScriptPosition } from "../source-maps/script-position.ts";
import { convertBlockedTurns } from "../transform/convert-blocked-turns.ts";
import type { TimePiece, TimeTreeOptions } from "../transform/convert-time-tree.ts";
import { convertTimeTree } from "../transform/convert-time-tree.ts";
import { positionsOfLines } from "../transform/match-lines.ts";
import { collectPositions } from "../transform/script-positions.ts";
import { durationNanos, sumDurations } from "../transform/time-tree.ts";
import type { Inspector } from "./inspector.ts";
import type { LineNode } from "./line-sampler.ts";
import { LineSampler } from "./line-sampler.ts";
import type { NativeBindings, NativeTimeProfiler, TimeNode } from "./native.ts";
import type { Recording, TimeProfiler } from "./profiler.ts";
import { TurnProbe } from "./turn-probe.ts";

/** What a wall profiler needs. */
export interface WallProfilerOptions {
  readonly native: NativeBindings;
  readonly types: readonly ("cpu" | "wall")[];
  readonly sampleRateHz: number;
  /** Longest time between two collections; the sample buffer is sized for twice that. */
  readonly windowMs: number;
  readonly isMainThread: boolean;
  /** `process.platform`: on Windows the native profiler knows neither labels nor CPU time. */
  readonly platform: NodeJS.Platform;
  /** Where samples shall have the line that ran: loads the sampler of lines. */
  readonly loadInspector?: (() => Inspector) | undefined;
  /** Where turns of the event loop that last longer shall have a profile. */
  readonly blockThresholdMs?: number | undefined;
  readonly labelSets: LabelSets;
  readonly clock: Clock;
  /** Counts what reading pieces costs, which happens between the windows. */
  readonly meter?: CostMeter | undefined;
  readonly diagnostics: Diagnostics;
}

/** V8's sampling thread spins without giving samples: `v8ProfilerStuckEventLoopDetected` is certain. */
const STUCK = 2;

// Reading a piece of that length takes 0.2 to 1 ms where a window of 15 s takes 4 and more, and costs no more in sum
// (bench/flush-stall.mjs): longer windows are read in pieces, so that no request waits for it.
const MAX_PIECE_MS = 2500;

// A window ends late when the event loop is blocked; samples beyond the native buffer would be lost.
const BUFFER_SLACK_MS = 10_000;

/** A piece of the window that is on. */
interface ReadPiece extends TimePiece {
  readonly startUnixNanos: bigint;
}

interface Running {
  readonly profiler: NativeTimeProfiler;
  readonly labels: LabelContext;
}

/**
 * CPU and wall time from one native profiler, which runs without pause: a window ends by `stop(true)`, which
 * costs 0.3 to 8 ms, where starting anew costs 17 to 75 ms.
 *
 * The native workaround against V8's stuck sampling thread sleeps 18 ms in every window, the bug is rare (5
 * of 1631 windows under extreme code churn) and comes with it as well, so it is off: what is stuck starts anew.
 */
export class WallProfiler implements TimeProfiler {
  readonly types: readonly ("cpu" | "wall" | "block")[];
  readonly #options: WallProfilerOptions;
  #intervalMicros: number;
  #nextIntervalMicros: number;
  readonly #probe: TurnProbe | undefined;
  #running: Running | undefined;
  #lines: LineSampler | undefined;
  // Those of the window that is on.
  #pieces: ReadPiece[] = [];
  #cancelPiece: Cancel | undefined;
  #isSuspected = false;

  constructor(options: WallProfilerOptions) {
    this.#options = options;
    this.#intervalMicros = toIntervalMicros(options.sampleRateHz);
    this.#nextIntervalMicros = this.#intervalMicros;
    const { blockThresholdMs, clock, types } = options;
    this.types = blockThresholdMs === undefined ? types : [...types, "block"];
    this.#probe = blockThresholdMs === undefined ? undefined : new TurnProbe(clock, blockThresholdMs);
  }

  get labels(): LabelContext {
    return this.#running?.labels ?? noLabelContext;
  }

  start(): void {
    if (this.#running !== undefined) return;
    try {
      this.#running = this.#create();
      this.#running.profiler.start();
      this.#running.labels.renew();
      this.#lines ??= this.#startLines();
      this.#probe?.start();
      this.#armPiece();
    } catch (cause) {
      // Another copy of the native profiler may be active in this thread; ours is given back, not left to the collector.
      if (this.#running !== undefined) release(this.#running);
      this.#running = undefined;
      throw new SdkError(`starting the CPU and wall profiler: ${describeError(cause)}`, {
        code: "PROFILER_FAILED",
        cause,
      });
    }
  }

  collect(): Recording {
    const running = this.#running;
    if (running === undefined)
      throw new SdkError("the CPU and wall profiler does not run", { code: "PROFILER_FAILED" });
    if (this.#nextIntervalMicros !== this.#intervalMicros) return this.#restart(running);
    this.#readPiece(running);
    this.#armPiece();
    return this.#takeWindow(true);
  }

  /** From the end of the window on. Requests that are under way then lose their labels. */
  setSampleRate(hz: number): void {
    this.#nextIntervalMicros = toIntervalMicros(hz);
  }

  /** With the next interval, which the native profiler takes only when it is made. */
  #restart(running: Running): Recording {
    this.#running = undefined;
    this.#pieces.push(this.#read(running, false));
    const recording = this.#takeWindow(false);
    release(running);
    this.#intervalMicros = this.#nextIntervalMicros;
    try {
      this.start();
    } catch (error) {
      this.#options.diagnostics.warn(describeError(error));
    }
    return recording;
  }

  #armPiece(): void {
    const { clock, windowMs } = this.#options;
    this.#cancelPiece?.();
    if (windowMs <= MAX_PIECE_MS) return;
    const pieceMs = windowMs / Math.ceil(windowMs / MAX_PIECE_MS);
    this.#cancelPiece = clock.after(pieceMs, () => {
      const running = this.#running;
      if (running === undefined) return;
      try {
        const { meter } = this.#options;
        if (meter === undefined) this.#readPiece(running);
        else meter.measure(() => this.#readPiece(running));
        this.#armPiece();
      } catch (error) {
        // The end of the window will tell whether it is over with this profiler.
        this.#options.diagnostics.debug(`reading a piece of a window: ${describeError(error)}`);
      }
    });
  }

  stop(): Recording | undefined {
    const running = this.#running;
    if (running === undefined) return undefined;
    this.#running = undefined;
    this.#cancelPiece?.();
    try {
      this.#pieces.push(this.#read(running, false));
      return this.#takeWindow(false);
    } finally {
      // Also where it could not be read.
      this.#probe?.stop();
      this.#readLines(false);
      release(running);
    }
  }

  /** Ends a piece and begins the next. */
  #readPiece(running: Running): void {
    this.#pieces.push(this.#read(running, true));
    const stuck = running.profiler.v8ProfilerStuckEventLoopDetected();
    // A piece with hardly a sample looks the same as a sampling thread that is stuck, on a machine that is overloaded: healing
    // takes 20 to 75 ms, so a suspicion must come twice.
    const isSuspected = stuck > 0 && this.#isSuspected;
    this.#isSuspected = stuck > 0 && !isSuspected;
    if (isSuspected || stuck >= STUCK) this.#heal(running);
  }

  #read({ profiler, labels }: Running, isRestarted: boolean): ReadPiece {
    // Before the call: the native side ends the piece first and converts it then, which may take some milliseconds.
    const { clock, labelSets } = this.#options;
    const endUnixNanos = BigInt(clock.nowUnixMs()) * 1_000_000n;
    const tree = profiler.stop(isRestarted);
    const reader = new SampleLabelReader(labelSets, clock);
    someContext(tree.topDownRoot, (context) => reader.compareClocks(labels.contextOf(context)));
    // It counts samples from nought again.
    if (isRestarted) labels.renew();
    return {
      tree,
      // The profiler's own clock is monotonic, so the start is known by the length only.
      startUnixNanos: endUnixNanos - durationNanos(tree),
      labelsOf: (context, timestamp) => reader.read(labels.contextOf(context), timestamp),
    };
  }

  #takeWindow(isRestarted: boolean): Recording {
    const { clock, types } = this.#options;
    const pieces = this.#pieces;
    this.#pieces = [];
    const unixOffsetMs = clock.nowUnixMs() - clock.nowMonotonicMs();
    const turns = this.#probe?.take() ?? [];
    const lineNodes = this.#readLines(isRestarted);
    const startUnixNanos = pieces[0]?.startUnixNanos ?? 0n;
    const options: TimeTreeOptions = {
      types,
      intervalMicros: this.#intervalMicros,
      startUnixNanos,
      lineNodes,
    };
    return {
      startUnixNanos,
      durationNanos: sumDurations(pieces.map(({ tree }) => tree)),
      *positions() {
        const positions: ScriptPosition[] = [];
        for (const { tree } of pieces) positions.push(...(yield* collectPositions(tree.topDownRoot)));
        return [...positions, ...positionsOfLines(lineNodes ?? [])];
      },
      *convert(sources) {
        const profiles = yield* convertTimeTree(pieces, { ...options, sources });
        const blocked = yield* convertBlockedTurns(pieces, { ...options, sources, turns, unixOffsetMs });
        return [...profiles, ...blocked];
      },
    };
  }

  /** Lines are an extra: without them profiling goes on. */
  #startLines(): LineSampler | undefined {
    const { loadInspector, diagnostics } = this.#options;
    if (loadInspector === undefined) return undefined;
    try {
      const sampler = new LineSampler(loadInspector(), this.#intervalMicros);
      sampler.start();
      return sampler;
    } catch (error) {
      diagnostics.warnOnce("lines", `lineNumbers is of no effect: ${describeError(error)}`);
      return undefined;
    }
  }

  #readLines(isRestarted: boolean): readonly LineNode[] | undefined {
    try {
      if (isRestarted) return this.#lines?.read();
      const nodes = this.#lines?.stop();
      this.#lines = undefined;
      return nodes;
    } catch (error) {
      this.#options.diagnostics.warnOnce("lines", `reading line numbers: ${describeError(error)}`);
      return undefined;
    }
  }

  /** With the same native profiler: what is under way keeps its labels. */
  #heal({ profiler, labels }: Running): void {
    this.#options.diagnostics.debug("V8's sampling thread seems stuck: it starts anew");
    profiler.stop(false);
    profiler.start();
    labels.renew();
  }

  #create(): Running {
    const { native, platform, labelSets, isMainThread, windowMs } = this.#options;
    const canLabel = platform !== "win32";
    const storage = canLabel && native.isAsyncContextFrameActive() ? new AsyncLocalStorage() : undefined;
    const profiler = native.createTimeProfiler({
      intervalMicros: this.#intervalMicros,
      durationMillis: Math.max(windowMs, BUFFER_SLACK_MS),
      lineNumbers: false,
      withContexts: canLabel,
      collectCpuTime: canLabel,
      collectAsyncId: false,
      workaroundV8Bug: false,
      useCPED: storage !== undefined,
      CPEDKey: storage,
      isMainThread,
    });
    if (!canLabel) return { profiler, labels: noLabelContext };
    const labels =
      storage === undefined
        ? new HookLabelContext(profiler, native.sampleCountIndex, toContext(labelSets.empty))
        : new FrameLabelContext(storage, profiler);
    return { profiler, labels };
  }
}

/** Whether `test` is true for the context of any sample; asks no further then. */
function someContext(node: TimeNode, test: (context: object | undefined) => boolean): boolean {
  return (
    (node.contexts?.some(({ context }) => test(context)) ?? false) ||
    node.children.some((child) => someContext(child, test))
  );
}

function toIntervalMicros(hz: number): number {
  return Math.round(1_000_000 / hz);
}

function release({ profiler, labels }: Running): void {
  labels.close();
  profiler.dispose();
}
