import { EventEmitter } from "node:events";
import type { MessagePort } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import type { SourceMapThread } from "../source-maps/source-maps.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import type { HelperOpening } from "./helper-messages.ts";
import type { PooledWorker } from "./helper-pool.ts";
import { HelperPool } from "./helper-pool.ts";
import type { HelperPort } from "./helper-thread.ts";

/** A worker in the thread of the test that answers every message with itself. */
class EchoWorker extends EventEmitter implements PooledWorker {
  readonly calls: string[] = [];
  readonly ports: MessagePort[] = [];

  postMessage({ port }: HelperOpening): void {
    this.calls.push("open");
    this.ports.push(port);
    port.on("message", (message) => port.postMessage(message));
    port.on("close", () => void this.calls.push("close"));
    port.unref();
  }

  unref(): void {
    this.calls.push("unref");
  }

  async terminate(): Promise<void> {
    this.calls.push("terminate");
  }
}

function createPool() {
  const workers: EchoWorker[] = [];
  const clock = new ManualClock();
  const start = () => {
    const worker = new EchoWorker();
    workers.push(worker);
    return worker;
  };
  return { clock, pool: new HelperPool(start, clock), workers };
}

const request = { kind: "abort", id: 7, reason: "none" } as const;

const mapRequest = { id: 7, scriptPath: "/srv/a.js", positions: [] };

const nextMessage = (port: HelperPort) => new Promise<unknown>((resolve) => port.on("message", resolve));

describe("HelperPool", () => {
  it("serves runs side by side from one thread, each at a port of its own", async () => {
    const { pool, workers } = createPool();
    const [first, second] = [pool.open([]), pool.open([])];
    const heard: unknown[] = [];
    first.on("message", (message) => void heard.push(message));

    const answered = nextMessage(second);
    second.postMessage(request);

    expect(await answered).toEqual(request);
    expect(heard).toEqual([]);
    expect(workers.map(({ calls }) => calls)).toEqual([["unref", "open", "open"]]);
    await Promise.all([first.terminate(), second.terminate()]);
  });

  it("keeps the thread for a run that follows soon, and ends it when none does", async () => {
    const { clock, pool, workers } = createPool();
    await pool.open([]).terminate();
    await clock.advance(9999);
    const again = pool.open([]);
    await clock.advance(60_000);
    expect(workers).toHaveLength(1);

    await again.terminate();
    await again.terminate();
    await clock.advance(10_000);

    expect(workers[0]?.calls.at(-1)).toBe("terminate");
    pool.open([]);
    expect(workers).toHaveLength(2);
  });

  it("has the same thread read source maps, at a port that does not keep the process alive", async () => {
    const { pool, workers } = createPool();
    const uploads = pool.open([]);
    const holding = process.getActiveResourcesInfo().length;
    let thread: SourceMapThread | undefined;
    const answered = new Promise<unknown>((resolve, reject) => {
      thread = pool.openSourceMaps({ onAnswer: resolve, onError: reject });
      expect(process.getActiveResourcesInfo()).toHaveLength(holding);
      thread.postMessage(mapRequest);
    });

    expect(await answered).toEqual(mapRequest);
    expect(workers).toHaveLength(1);
    await Promise.all([thread?.terminate(), uploads.terminate()]);
  });

  it("tells who reads source maps of the end of the thread, once", () => {
    const { pool, workers } = createPool();
    const told: unknown[] = [];
    pool.openSourceMaps({ onAnswer: () => {}, onError: (error) => void told.push(error) });
    const reason = new Error("out of memory");

    workers[0]?.emit("error", reason);
    workers[0]?.emit("exit", 1);

    expect(told).toEqual([reason]);
  });

  it.for(["error", "exit"] as const)(
    "tells every run of the %s of the thread, and starts another",
    (event) => {
      const { pool, workers } = createPool();
      const told: unknown[] = [];
      for (const port of [pool.open([]), pool.open([])]) {
        port.on("error", (error) => void told.push(error));
        port.on("exit", (exitCode) => void told.push(exitCode));
      }

      workers[0]?.emit(event, 3);
      workers[0]?.emit("exit", 3);
      pool.open([]);

      expect(told).toEqual([3, 3]);
      expect(workers).toHaveLength(2);
    },
  );
});
