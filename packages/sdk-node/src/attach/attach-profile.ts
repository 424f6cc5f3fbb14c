import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import type { Diagnostics } from "../diagnostics.ts";
import { describeError } from "../errors.ts";
import { findTimeBindings, type TimeTree } from "../profilers/native.ts";
import type { TypedProfile } from "../profilers/profiler.ts";
import { runInSlices } from "../profilers/slices.ts";
import { SourceMaps } from "../source-maps/source-maps.ts";
import { convertTimeTree } from "../transform/convert-time-tree.ts";
import { collectPositions } from "../transform/script-positions.ts";
import { durationNanos } from "../transform/time-tree.ts";
import type { StartArguments, StartedTarget } from "./in-target.ts";
import { closeInspectorInTarget, startInTarget, stopInTarget } from "./in-target.ts";
import type { InspectorClient } from "./inspector-client.ts";
import { connectInspector } from "./inspector-client.ts";
import type { InspectorPort } from "./inspector-port.ts";
import { openInspectorPort, waitForClose } from "./inspector-port.ts";
import type { TargetProcess } from "./target-process.ts";
import { attachError, findTarget } from "./target-process.ts";

/** How a process is profiled from outside. */
export interface AttachOptions {
  readonly pid: number;
  readonly durationMs: number;
  readonly sampleRateHz: number;
  readonly sourceMaps: boolean;
  /** Ends it early; what there is by then is the profile. */
  readonly signal: AbortSignal;
  /** Called when profiling has begun. */
  readonly onStarted: () => void;
  readonly clock: Clock;
  readonly diagnostics: Diagnostics;
}

/** What was recorded. */
export interface AttachedProfiles {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** `process.version` of the target. */
  readonly nodeVersion: string;
  /** CPU and wall time, each where it has a sample. */
  readonly profiles: readonly TypedProfile[];
}

interface Recorded {
  readonly tree: TimeTree;
  readonly endUnixMs: number;
  readonly nodeVersion: string;
}

// How long a target goes on when nobody asks for its profile.
const GRACE_MS = 30_000;

// After the connection is closed here the target has it closed within a millisecond.
const CLOSE_DELAY_MS = 250;
const CLOSE_TIMEOUT_MS = 5000;

// A map takes 100 ms; a disk that hangs must not hold up the profile for ever.
const MAX_MAPPING_MS = 5000;

/**
 * Profiles a running Node process that was not made for it: opens its inspector, loads the native profiler into it, and
 * closes the inspector again. The profile is converted here, so that the target does no more than record.
 *
 * @throws {@link SdkError} `ATTACH_FAILED`; the target goes on as before.
 */
export async function attachAndProfile(options: AttachOptions): Promise<AttachedProfiles> {
  const target = await findTarget(options.pid, process.platform);
  const port = await openInspectorPort(target);
  const client = await connectInspector(port.webSocketUrl);
  let recorded: Recorded;
  try {
    recorded = await record(client, target, options);
  } finally {
    await leave(client, target, port, options.diagnostics);
  }
  const { tree, endUnixMs, nodeVersion } = recorded;
  const profiles = await convert(tree, endUnixMs, options);
  const startUnixMs = endUnixMs - Number(durationNanos(tree) / 1_000_000n);
  return { startUnixMs, endUnixMs, nodeVersion, profiles };
}

async function record(
  client: InspectorClient,
  target: TargetProcess,
  { durationMs, sampleRateHz, signal, onStarted, clock }: AttachOptions,
): Promise<Recorded> {
  const start: StartArguments = {
    bindingsPath: findTimeBindings(),
    options: {
      intervalMicros: Math.round(1_000_000 / sampleRateHz),
      durationMillis: durationMs + GRACE_MS,
      lineNumbers: false,
      withContexts: true,
      workaroundV8Bug: false,
      collectCpuTime: true,
      collectAsyncId: false,
      useCPED: false,
      CPEDKey: undefined,
      isMainThread: true,
    },
    giveUpMs: durationMs + GRACE_MS,
  };
  const started = (await client.evaluate(call(startInTarget, start))) as StartedTarget;
  if (started.pid !== target.ownPid) {
    throw attachError(`the inspector that opened is that of PID ${started.pid}, not of ${target.pid}`);
  }
  if (started.problem !== undefined) throw attachError(`PID ${target.pid}: ${started.problem}`);
  await showOptimizedLoops(client);
  onStarted();
  await Promise.race([sleep(durationMs, undefined, { signal }).catch(() => undefined), client.ended]);
  const json = await client.evaluate(call(stopInTarget));
  const endUnixMs = clock.nowUnixMs();
  if (typeof json !== "string")
    throw attachError(`PID ${target.pid}: profiling ended before it was asked to`);
  return { tree: JSON.parse(json) as TimeTree, endUnixMs, nodeVersion: started.version };
}

/**
 * Has V8 compile anew what it optimised while it ran (on-stack replacement): of such code a profiler that starts later knows
 * nothing, and its time, all of that of a long loop, would stand under its caller. Beginning precise coverage throws
 * optimised code away; V8 has the hot part of it again within milliseconds, and tells the profiler then.
 */
async function showOptimizedLoops(client: InspectorClient): Promise<void> {
  await client.post("Profiler.enable");
  await client.post("Profiler.startPreciseCoverage");
  await client.post("Profiler.stopPreciseCoverage");
  await client.post("Profiler.disable");
}

/** An expression that calls `fn` in the target. */
function call<A>(fn: (argument: A) => unknown, argument?: A): string {
  return `(${fn.toString()})(${argument === undefined ? "" : JSON.stringify(argument)})`;
}

/** Leaves the target as it was found. Never rejects. */
async function leave(
  client: InspectorClient,
  target: TargetProcess,
  { port, isOpenedByUs }: InspectorPort,
  diagnostics: Diagnostics,
): Promise<void> {
  try {
    // Also after a failure in between.
    await client.evaluate(call(stopInTarget));
    if (isOpenedByUs) await client.evaluate(call(closeInspectorInTarget, { port, delayMs: CLOSE_DELAY_MS }));
  } catch (error) {
    diagnostics.warn(`leaving PID ${target.pid}: ${describeError(error)}`);
  }
  await client.close();
  if (isOpenedByUs && !(await waitForClose(target.pid, port, CLOSE_TIMEOUT_MS))) {
    diagnostics.warn(
      `the inspector of PID ${target.pid} is still open at port ${port}: somebody else uses it, or the event loop is blocked and closes it later`,
    );
  }
}

async function convert(
  tree: TimeTree,
  endUnixMs: number,
  { sampleRateHz, sourceMaps, clock, diagnostics }: AttachOptions,
): Promise<readonly TypedProfile[]> {
  // This process does nothing else: it reads them itself.
  const sources = sourceMaps ? new SourceMaps({ startThread: undefined, clock, diagnostics }) : undefined;
  try {
    sources?.resolveAtOnce(await runInSlices(collectPositions(tree.topDownRoot)), MAX_MAPPING_MS);
    const work = convertTimeTree([{ tree, labelsOf: () => undefined }], {
      types: ["cpu", "wall"],
      intervalMicros: Math.round(1_000_000 / sampleRateHz),
      startUnixNanos: BigInt(endUnixMs) * 1_000_000n - durationNanos(tree),
      sources,
    });
    return await runInSlices(work);
  } finally {
    sources?.close();
  }
}
