import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Diagnostics } from "./diagnostics.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { createRecordingLogger } from "./testing/recording-logger.ts";
import { takeThreadMark } from "./thread-options.ts";
import { profileWorkerThreads } from "./worker-threads.ts";

const module = process.getBuiltinModule("node:worker_threads");
const { Worker } = module;

/** Arguments of the threads that were started. */
let started: unknown[][];
let refuse: (execArgv: readonly string[]) => string | undefined;

class FakeWorker extends EventEmitter {
  constructor(...args: unknown[]) {
    super();
    const { execArgv = [] } = (args[1] ?? {}) as { readonly execArgv?: readonly string[] };
    const refused = refuse(execArgv);
    if (refused !== undefined) {
      const message = `Initiated Worker with invalid execArgv flags: ${refused}`;
      throw Object.assign(new Error(message), { code: "ERR_WORKER_INVALID_EXEC_ARGV" });
    }
    started.push(args);
  }
}

beforeEach(() => {
  started = [];
  refuse = () => undefined;
  module.Worker = FakeWorker as unknown as typeof Worker;
});

afterEach(() => {
  module.Worker = Worker;
});

function profile(maxThreads: number) {
  const clock = new ManualClock();
  const logger = createRecordingLogger();
  const diagnostics = new Diagnostics(logger, "warn");
  return { clock, logger, leave: profileWorkerThreads({ maxThreads, clock, diagnostics }) };
}

const preloadOf = (args: unknown[] | undefined) =>
  (args?.[1] as { readonly execArgv?: readonly string[] } | undefined)?.execArgv;

const PRELOAD = ["--require", expect.stringMatching(/thread-register\.ts$/)];

describe("profileWorkerThreads", () => {
  it("has each thread load the SDK first, and leaves it as it is in all else", () => {
    const { leave } = profile(8);
    class Pool extends module.Worker {}
    class Options {
      get workerData() {
        return 42;
      }
    }

    const worker = new Pool("task.js", new Options());
    new module.Worker("task.js", { execArgv: ["--no-warnings"] });
    new module.Worker("task.js");

    expect(worker).toBeInstanceOf(Pool);
    expect(worker).toBeInstanceOf(FakeWorker);
    expect(started.map(([file]) => file)).toEqual(["task.js", "task.js", "task.js"]);
    expect(started[0]?.[1]).toMatchObject({ workerData: 42 });
    expect(started.map(preloadOf)).toEqual([
      [...PRELOAD, ...process.execArgv],
      [...PRELOAD, "--no-warnings"],
      [...PRELOAD, ...process.execArgv],
    ]);
    expect(takeThreadMark()).toBeUndefined();
    leave();
    expect(module.Worker).toBe(FakeWorker);
  });

  it("leaves alone what cannot be profiled, and says what Node says", () => {
    profile(8);
    refuse = (flags) => (flags.includes("--no-such-flag") ? "--no-such-flag" : undefined);

    new module.Worker("small.js", { resourceLimits: { maxOldGenerationSizeMb: 63 } });
    new module.Worker("large.js", { resourceLimits: { maxOldGenerationSizeMb: 64 } });
    new module.Worker("old.js", { execArgv: ["--no-experimental-require-module"] });
    const start = () => new module.Worker("task.js", { execArgv: ["--no-such-flag"] });

    expect(start).toThrow("invalid execArgv flags: --no-such-flag");
    expect(started.map((args) => preloadOf(args)?.[0])).toEqual([
      undefined,
      "--require",
      "--no-experimental-require-module",
    ]);
  });

  it("leaves out flags of the program that a thread may not have, and itself where even that does not help", () => {
    profile(8);
    const flags = process.execArgv;
    process.execArgv = ["--expose-gc", "--no-warnings", "--title=shop"];
    try {
      refuse = (given) =>
        given.filter((flag) => flag === "--expose-gc" || flag.startsWith("--title")).join(", ") || undefined;
      new module.Worker("task.js");
      refuse = (given) => (given.includes("--require") ? "--something" : undefined);
      new module.Worker("task.js");
    } finally {
      process.execArgv = flags;
    }

    expect(started.map(preloadOf)).toEqual([[...PRELOAD, "--no-warnings"], undefined]);
  });

  it("profiles no more than maxThreads at once and in a minute, and says so once", async () => {
    const { clock, logger } = profile(2);
    const start = () => new module.Worker("task.js");

    const [first] = [start(), start(), start(), start()];
    first?.emit("exit", 0);
    start();
    await clock.advance(60_000);
    start();
    start();

    expect(started.map((args) => preloadOf(args) !== undefined)).toEqual([
      ...[true, true, false, false],
      ...[false, true, false],
    ]);
    expect(logger.lines).toEqual([
      "warn pyroscope: more than 2 worker threads (maxWorkerThreads) at once or within a minute: the others are profiled only where they start the SDK themselves",
    ]);
  });

  it("replaces nothing with 0, and leaves in place what somebody else put there", () => {
    profile(0);
    expect(module.Worker).toBe(FakeWorker);

    const { leave } = profile(1);
    const other = class extends module.Worker {};
    module.Worker = other;
    leave();

    expect(module.Worker).toBe(other);
  });
});
