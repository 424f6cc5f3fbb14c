import process from "node:process";
import { isMainThread } from "node:worker_threads";
import { systemClock } from "./clock.ts";
import { HelperPool } from "./exporters/helper-pool.ts";
import { createHelperThread, startHelperWorker } from "./exporters/helper-thread.ts";
import { readProcessFacts } from "./process-facts.ts";
import { loadInspector } from "./profilers/inspector.ts";
import { loadNativeBindings } from "./profilers/native.ts";
import type { Environment } from "./resolve-config.ts";
import { Sdk } from "./sdk.ts";
import { inheritOptions, shareOptions } from "./thread-options.ts";
import { profileWorkerThreads } from "./worker-threads.ts";

function readEnvironment(): Environment {
  // biome-ignore lint/style/noProcessEnv: the one place that hands the environment to the settings table
  return process.env;
}

const helpers = new HelperPool(startHelperWorker, systemClock);

/** The one object of this thread, behind every entry point. It holds nothing and touches nothing before start(). */
export const sdk: Sdk = new Sdk({
  environment: readEnvironment,
  readFacts: () => readProcessFacts(readEnvironment()),
  inheritOptions,
  shareOptions,
  loadNative: loadNativeBindings,
  loadInspector,
  profileWorkers: (config, diagnostics) =>
    isMainThread
      ? profileWorkerThreads({ maxThreads: config.maxWorkerThreads, clock: systemClock, diagnostics })
      : () => {},
  createHelper: (config, diagnostics) => createHelperThread(config, helpers, systemClock, diagnostics),
  process,
  clock: systemClock,
  random: Math.random,
  platform: process.platform,
});

/**
 * Never called. Tools that copy what a program needs (Next.js standalone, Nitro) follow what stands in an `import()`;
 * bundlers leave these as they are, because no bundle has a file of its own for a thread or a process.
 *
 * @public
 */
export const tracedFiles = (): readonly Promise<unknown>[] => [
  import(/* webpackIgnore: true */ /* @vite-ignore */ "./exporters/helper-worker.ts"),
  import(/* webpackIgnore: true */ /* @vite-ignore */ "./heap-limit/heap-limit-export.ts"),
  // biome-ignore lint/suspicious/noImportCycles: never called
  import(/* webpackIgnore: true */ /* @vite-ignore */ "./thread-register.ts"),
];
