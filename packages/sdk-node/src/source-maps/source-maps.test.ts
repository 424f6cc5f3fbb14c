import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { createRecordingDiagnostics } from "../testing/recording-logger.ts";
import type { SourceMapAnswer, SourceMapRequest } from "./source-map-messages.ts";
import type { SourceMapThreadListener } from "./source-maps.ts";
import { SourceMaps } from "./source-maps.ts";

class FakeThread {
  readonly requests: SourceMapRequest[] = [];
  isTerminated = false;
  readonly #listener: SourceMapThreadListener;

  constructor(listener: SourceMapThreadListener) {
    this.#listener = listener;
  }

  postMessage(request: SourceMapRequest): void {
    this.requests.push(request);
  }

  async terminate(): Promise<number> {
    this.isTerminated = true;
    return 0;
  }

  /** Answers all that was asked: each position has line 100 more in the source. */
  answerAll(kind: SourceMapAnswer["kind"] = "mapped"): void {
    for (const { id, positions } of this.requests.splice(0)) {
      this.#listener.onAnswer({
        id,
        kind,
        reason: kind === "missing" ? "no such file" : undefined,
        positions: positions.map(({ line }) => ({ file: "a.ts", line: line + 100, name: undefined })),
      });
    }
  }

  fail(): void {
    this.#listener.onError(new Error("out of memory"));
  }
}

function createSourceMaps() {
  const threads: FakeThread[] = [];
  const clock = new ManualClock();
  const { diagnostics, lines } = createRecordingDiagnostics();
  const startThread = (listener: SourceMapThreadListener) => {
    const thread = new FakeThread(listener);
    threads.push(thread);
    return thread;
  };
  return { sources: new SourceMaps({ startThread, clock, diagnostics }), threads, clock, lines };
}

const at = (line: number, scriptName = "/srv/a.js") => ({ scriptName, line, column: 1, name: "f" });

describe("SourceMaps", () => {
  it("asks for each position once, and starts no thread before it must", async () => {
    const { sources, threads } = createSourceMaps();
    await sources.resolve([at(1, "node:fs"), at(1, ""), at(1, "evalmachine.<anonymous>")]);
    expect(threads).toEqual([]);

    const first = sources.resolve([at(1), at(2), at(1, "file:///srv/b.js")]);
    expect(threads[0]?.requests.map(({ scriptPath, positions }) => [scriptPath, positions.length])).toEqual([
      ["/srv/a.js", 2],
      ["/srv/b.js", 1],
    ]);
    threads[0]?.answerAll();
    await first;
    const second = sources.resolve([at(1), at(3)]);
    expect(threads[0]?.requests.map(({ positions }) => positions)).toEqual([
      [{ line: 3, column: 1, name: "f" }],
    ]);
    threads[0]?.answerAll();
    await second;

    expect([1, 2, 3, 4].map((line) => sources.find(at(line))?.line)).toEqual([101, 102, 103, undefined]);
    expect(sources.status).toEqual({ mappedCount: 2, missingCount: 0 });
  });

  it("does not ask again for scripts without a map, and counts those whose map is missing", async () => {
    const { sources, threads } = createSourceMaps();
    for (const [scriptName, kind] of [
      ["/srv/plain.js", "none"],
      ["/srv/broken.js", "missing"],
    ] as const) {
      const resolved = sources.resolve([at(1, scriptName)]);
      threads[0]?.answerAll(kind);
      await resolved;
    }

    await sources.resolve([at(2, "/srv/plain.js"), at(2, "/srv/broken.js")]);

    expect(threads[0]?.requests).toEqual([]);
    expect(sources.status).toEqual({ mappedCount: 0, missingCount: 1 });
  });

  it("goes on without what comes too late, and has it the next time", async () => {
    const { sources, threads, clock } = createSourceMaps();
    const slow = sources.resolve([at(1)]);
    await clock.advance(5000);
    await slow;
    const hurried = sources.resolve([at(1)]);
    sources.expire();
    await hurried;
    expect(sources.find(at(1))).toBeUndefined();

    threads[0]?.answerAll();
    await clock.advance(0);

    expect(sources.find(at(1))?.line).toBe(101);
  });

  it("ends the thread when there is nothing to do, and starts it again", async () => {
    const { sources, threads, clock } = createSourceMaps();
    const first = sources.resolve([at(1)]);
    threads[0]?.answerAll();
    await first;

    await clock.advance(10_000);
    expect(threads[0]?.isTerminated).toBe(true);
    const second = sources.resolve([at(2)]);
    threads[1]?.answerAll();
    await second;

    expect(sources.find(at(2))?.line).toBe(102);
  });

  it("gives up with one line when the thread fails", async () => {
    const { sources, threads, lines } = createSourceMaps();
    const first = sources.resolve([at(1)]);
    threads[0]?.fail();
    await first;
    await sources.resolve([at(2)]);

    expect(threads).toHaveLength(1);
    expect(lines).toEqual(["warn pyroscope: source maps are not read any more: out of memory"]);
  });

  it("ends the thread when it is closed", async () => {
    const { sources, threads } = createSourceMaps();
    const first = sources.resolve([at(1)]);

    sources.close();
    await first;

    expect(threads[0]?.isTerminated).toBe(true);
  });
});
