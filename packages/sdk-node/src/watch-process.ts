import { isMainThread } from "node:worker_threads";
import type { Agent } from "./agent.ts";
import type { Cancel } from "./clock.ts";
import type { SdkConfig } from "./config.ts";
import type { SignalTarget } from "./process-signals.ts";
import { watchSignals } from "./process-signals.ts";

/** What the SDK uses of the process it runs in. */
export type WatchedProcess = SignalTarget & {
  once(event: "beforeExit", listener: () => void): unknown;
  prependListener(event: "exit", listener: () => void): unknown;
  removeListener(event: "exit" | "beforeExit", listener: () => void): unknown;
};

/** Flushes before signals end the process, and at its natural end where `agent` cannot send from the `exit` event. */
export function watchProcess(
  process: WatchedProcess,
  agent: Agent,
  config: SdkConfig,
  stop: () => Promise<unknown>,
): Cancel {
  if (!config.flushOnExit) return () => {};
  // Once: the flush keeps the process alive, and when it is done the event comes again.
  const onBeforeExit = (): void => {
    if (!agent.canFinish) void agent.flush(config.exitTimeoutMs);
  };
  process.once("beforeExit", onBeforeExit);
  // Signals reach the main thread only.
  const unwatch = isMainThread ? watchSignals(process, stop) : undefined;
  return () => {
    process.removeListener("beforeExit", onBeforeExit);
    unwatch?.();
  };
}

/** The natural end, `process.exit()`, what nobody caught, and signals that the program handles all end here. */
export function watchExit(process: WatchedProcess, agent: Agent, config: SdkConfig): Cancel {
  const onExit = (): void => agent.finish(config.flushOnExit ? config.exitTimeoutMs : 0);
  // First: a listener of the program may end the process from within.
  process.prependListener("exit", onExit);
  return () => process.removeListener("exit", onExit);
}
