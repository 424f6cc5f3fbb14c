import { describe, expect, it } from "vitest";
import { SdkError } from "./errors.ts";
import type { ExportResult, ProfileExporter, ProfileUpload, RetryAdvice } from "./exporters/exporter.ts";
import { UploadPace } from "./exporters/upload-pace.ts";
import { ManualClock, settle } from "./testing/manual-clock.ts";
import { createRecordingDiagnostics } from "./testing/recording-logger.ts";
import { UploadQueue } from "./upload-queue.ts";

const KIB = 1024;

function createUpload(startUnixMs: number, bytes = KIB): ProfileUpload {
  const pprof = new Uint8Array(bytes);
  return {
    startUnixMs,
    endUnixMs: startUnixMs + 1000,
    labels: [],
    profiles: [{ name: "wall", type: "wall", id: "1", pprof, rawBytes: 4 * bytes }],
  };
}

function failure(kind: RetryAdvice["kind"], afterMs?: number): ExportResult {
  const code = kind === "never" ? "EXPORT_REJECTED" : "EXPORT_UNREACHABLE";
  return { ok: false, error: new SdkError(`server says ${kind}`, { code }), retry: { kind, afterMs } };
}

/** Answers with what `answers` holds, then with success; `pending` keeps the answer back until `release`. */
class ScriptedExporter implements ProfileExporter {
  readonly answers: (ExportResult | "pending" | Error)[] = [];
  readonly seen: number[] = [];
  inFlight = 0;
  maxInFlight = 0;
  release: (result: ExportResult) => void = () => undefined;

  async export(upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult> {
    this.seen.push(upload.startUnixMs);
    this.maxInFlight = Math.max(this.maxInFlight, ++this.inFlight);
    try {
      const answer = this.answers.shift() ?? { ok: true };
      if (answer instanceof Error) throw answer;
      return answer === "pending" ? await this.#hang(signal) : answer;
    } finally {
      this.inFlight--;
    }
  }

  async shutdown(): Promise<void> {}

  #hang(signal: AbortSignal): Promise<ExportResult> {
    return new Promise((resolve) => {
      this.release = resolve;
      signal.addEventListener("abort", () => resolve(failure("patient")));
    });
  }
}

function createQueue(capacityBytes = 10 * KIB) {
  const clock = new ManualClock();
  const exporter = new ScriptedExporter();
  const { diagnostics, lines } = createRecordingDiagnostics();
  const queue = new UploadQueue({
    exporter,
    capacityBytes,
    timeoutMs: 10_000,
    maxDelayMs: 4000,
    clock,
    random: () => 1,
    diagnostics,
  });
  return { clock, exporter, lines, queue };
}

const never = new AbortController().signal;

describe("UploadQueue", () => {
  it("sends one upload at a time, in order", async () => {
    const { clock, exporter, queue } = createQueue();

    for (const time of [1, 2, 3]) queue.add(createUpload(time));
    await clock.advance(0);

    expect(exporter.seen).toEqual([1, 2, 3]);
    expect(exporter.maxInFlight).toBe(1);
    expect(queue.counts).toMatchObject({ sentCount: 3, waitingCount: 0, waitingBytes: 0 });
  });

  it("sends again with growing pauses while the server is away, and says so once each way", async () => {
    const { clock, exporter, lines, queue } = createQueue();
    exporter.answers.push(failure("patient"), failure("patient"), failure("patient"));
    queue.add(createUpload(1));

    await clock.advance(499);
    expect(exporter.seen).toHaveLength(1);
    await clock.advance(1);
    expect(exporter.seen).toHaveLength(2);
    await clock.advance(1000);
    expect(exporter.seen).toHaveLength(3);
    await clock.advance(2000);

    expect(queue.counts).toMatchObject({ sentCount: 1, retryCount: 3, waitingCount: 0 });
    expect(lines).toEqual([
      expect.stringMatching(/^warn .*server says patient/),
      "info pyroscope: uploads arrive again",
    ]);
  });

  it("waits as long as the server asks", async () => {
    const { clock, exporter, queue } = createQueue();
    exporter.answers.push(failure("patient", 60_000));
    queue.add(createUpload(1));

    await clock.advance(59_999);
    expect(exporter.seen).toHaveLength(1);
    await clock.advance(1);
    expect(queue.counts.sentCount).toBe(1);
  });

  it("never sends again what the server does not want, and goes on with the next", async () => {
    const { clock, exporter, lines, queue } = createQueue();
    exporter.answers.push(failure("never"), failure("never"));

    for (const time of [1, 2, 3]) queue.add(createUpload(time));
    await clock.advance(0);

    expect(exporter.seen).toEqual([1, 2, 3]);
    expect(queue.counts).toMatchObject({ sentCount: 1, rejectedCount: 2, retryCount: 0 });
    expect(lines.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });

  it("gives an upload up after 8 failures that may be its own fault, and only then", async () => {
    const { clock, exporter, queue } = createQueue();
    for (let i = 0; i < 8; i++) exporter.answers.push(failure("limited"));
    queue.add(createUpload(1));
    queue.add(createUpload(2));

    await clock.advance(60_000);

    expect(exporter.seen).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2]);
    expect(queue.counts).toMatchObject({ sentCount: 1, rejectedCount: 1 });
  });

  it("does not give up while the server is away", async () => {
    const { clock, exporter, queue } = createQueue();
    for (let i = 0; i < 50; i++) exporter.answers.push(failure("patient"));
    queue.add(createUpload(1));

    await clock.advance(300_000);

    expect(queue.counts).toMatchObject({ sentCount: 1, rejectedCount: 0, droppedCount: 0 });
  });

  it("ends an attempt after its time and tries again", async () => {
    const { clock, exporter, queue } = createQueue();
    exporter.answers.push("pending");
    queue.add(createUpload(1));

    await clock.advance(9999);
    expect(exporter.inFlight).toBe(1);
    await clock.advance(1);
    expect(exporter.inFlight).toBe(0);
    await clock.advance(500);

    expect(queue.counts.sentCount).toBe(1);
  });

  it("survives an exporter that throws", async () => {
    const { clock, exporter, lines, queue } = createQueue();
    exporter.answers.push(new Error("broken"));
    queue.add(createUpload(1));

    await clock.advance(1000);

    expect(queue.counts.sentCount).toBe(1);
    expect(lines[0]).toContain("exporter: broken");
  });

  it("drops the oldest that wait when there is no room, counts them, and says when it begins and ends", async () => {
    const { clock, exporter, lines, queue } = createQueue(3 * KIB);
    exporter.answers.push("pending");
    for (const time of [1, 2, 3, 4, 5, 6]) queue.add(createUpload(time));
    await settle();

    expect(queue.counts).toMatchObject({ droppedCount: 2, waitingBytes: 4 * KIB });
    exporter.release({ ok: true });
    await clock.advance(0);

    expect(exporter.seen).toEqual([1, 4, 5, 6]);
    expect(lines).toEqual([
      expect.stringContaining("uploadQueueSize=3072"),
      "warn pyroscope: upload queue has room again: 2 windows were dropped",
    ]);
  });

  it("takes the largest upload that fits and drops a larger one", async () => {
    const { clock, exporter, queue } = createQueue(3 * KIB);

    queue.add(createUpload(1, 3 * KIB));
    queue.add(createUpload(2, 3 * KIB + 1));
    await clock.advance(0);

    expect(exporter.seen).toEqual([1]);
    expect(queue.counts.droppedCount).toBe(1);
  });

  it("keeps its bound through a long outage", async () => {
    const { clock, exporter, queue } = createQueue(8 * KIB);
    for (let i = 0; i < 5000; i++) exporter.answers.push(failure("patient"));

    for (let window = 0; window < 1000; window++) {
      queue.add(createUpload(window));
      await clock.advance(100);
    }

    const { droppedCount, waitingCount, waitingBytes } = queue.counts;
    expect(waitingBytes).toBeLessThanOrEqual(8 * KIB);
    expect(droppedCount + waitingCount).toBe(1000);
  });

  it("counts every window of an hour without the server, within its bound", async () => {
    const { exporter, queue } = createQueue(8 * KIB);
    exporter.answers.push("pending");

    for (let window = 0; window < 36_000; window++) queue.add(createUpload(window));

    // The first is being sent; eight wait.
    expect(queue.counts).toMatchObject({ droppedCount: 36_000 - 9, waitingCount: 9, waitingBytes: 9 * KIB });
  });

  it("sends again within one period when the server is back after a long time", async () => {
    const { clock, exporter, queue } = createQueue();
    for (let i = 0; i < 50; i++) exporter.answers.push(failure("patient"));
    queue.add(createUpload(1));
    while (exporter.answers.length > 0) await clock.advance(1000);

    // The longest pause is the period of uploads.
    await clock.advance(4000);

    expect(queue.counts).toMatchObject({ sentCount: 1, waitingCount: 0 });
  });

  describe("with a pace", () => {
    const paced = () => {
      const base = createQueue();
      const pace = new UploadPace(base.clock, 4 * KIB, 4 * KIB);
      const queue = new UploadQueue({
        exporter: { export: (upload, signal) => base.exporter.export(upload, signal), pace },
        capacityBytes: 10 * KIB,
        timeoutMs: 10_000,
        maxDelayMs: 4000,
        clock: base.clock,
        random: () => 1,
        diagnostics: createRecordingDiagnostics().diagnostics,
      });
      return { ...base, queue };
    };

    it("waits until the server may take the next upload, and sends all of a drain", async () => {
      const { clock, exporter, queue } = paced();
      // 4 KiB before compression each.
      for (const time of [1, 2, 3]) queue.add(createUpload(time));
      const drained = queue.drain(never);

      await clock.advance(999);
      expect(exporter.seen).toEqual([1]);
      await clock.advance(1);
      expect(exporter.seen).toEqual([1, 2]);
      await clock.advance(1000);
      expect(exporter.seen).toEqual([1, 2, 3]);
      await expect(drained).resolves.toBe(true);
    });

    it("gives away what only waits for its turn", async () => {
      const { clock, queue } = paced();
      queue.add(createUpload(1));
      await clock.advance(0);
      queue.add(createUpload(2));

      const { waiting, sendingCount } = queue.takeAll();

      expect([waiting.map(({ startUnixMs }) => startUnixMs), sendingCount]).toEqual([[2], 0]);
      expect(clock.pendingCount).toBe(0);
    });

    it("ends the pause when it is closed", async () => {
      const { clock, exporter, queue } = paced();
      queue.add(createUpload(1));
      await clock.advance(0);
      queue.add(createUpload(2));

      queue.close();
      await clock.advance(10_000);

      expect(exporter.seen).toEqual([1]);
      expect(queue.counts).toMatchObject({ sentCount: 1, droppedCount: 1 });
    });
  });

  describe("drain", () => {
    it("does not wait for the pause after a failure", async () => {
      const { clock, exporter, queue } = createQueue();
      exporter.answers.push(failure("patient", 60_000));
      queue.add(createUpload(1));
      await clock.advance(0);

      await expect(queue.drain(never)).resolves.toBe(true);

      expect(queue.counts.sentCount).toBe(1);
    });

    it("ends at the first failure and leaves the rest to wait", async () => {
      const { clock, exporter, queue } = createQueue();
      exporter.answers.push("pending", failure("patient"));
      queue.add(createUpload(1));
      queue.add(createUpload(2));
      await settle();
      exporter.release(failure("patient"));

      await expect(queue.drain(never)).resolves.toBe(false);

      expect(queue.counts.waitingCount).toBe(2);
      await clock.advance(10_000);
      expect(queue.counts.sentCount).toBe(2);
    });

    it("ends when its time is up although an attempt hangs", async () => {
      const { exporter, queue } = createQueue();
      exporter.answers.push("pending");
      queue.add(createUpload(1));
      const deadline = new AbortController();
      const draining = queue.drain(deadline.signal);

      deadline.abort();

      await expect(draining).resolves.toBe(false);
    });
  });

  describe("close", () => {
    it("ends the attempt, and counts what waits and what comes afterwards", async () => {
      const { clock, exporter, queue } = createQueue();
      exporter.answers.push("pending");
      queue.add(createUpload(1));
      queue.add(createUpload(2));

      queue.close();
      queue.close();
      queue.add(createUpload(3));
      await clock.advance(60_000);

      expect(exporter.seen).toEqual([1]);
      expect(exporter.inFlight).toBe(0);
      expect(queue.counts).toMatchObject({ sentCount: 0, droppedCount: 3, waitingCount: 0, waitingBytes: 0 });
      expect(clock.pendingCount).toBe(0);
    });
  });

  it("holds no process", async () => {
    const { clock, exporter, queue } = createQueue();
    exporter.answers.push(failure("patient"));

    queue.add(createUpload(1));
    await clock.advance(0);

    expect(clock.pendingCount).toBe(1);
    expect(clock.holdingCount).toBe(0);
  });

  it("gives away all that waits but the upload on its way, and sends nothing after that", async () => {
    const { clock, exporter, queue } = createQueue();
    exporter.answers.push("pending");
    for (const time of [1, 2, 3]) queue.add(createUpload(time));

    const { waiting, sendingCount } = queue.takeAll();
    exporter.release({ ok: true });
    await clock.advance(0);

    expect(waiting.map(({ startUnixMs }) => startUnixMs)).toEqual([2, 3]);
    expect(sendingCount).toBe(1);
    expect(exporter.seen).toEqual([1]);
  });

  it("gives away an upload that waits for its next attempt too", async () => {
    const { clock, exporter, queue } = createQueue();
    exporter.answers.push(failure("patient"));
    queue.add(createUpload(1));
    await clock.advance(0);

    const { waiting, sendingCount } = queue.takeAll();
    await clock.advance(60_000);

    expect(waiting.map(({ startUnixMs }) => startUnixMs)).toEqual([1]);
    expect(sendingCount).toBe(0);
    expect(exporter.seen).toEqual([1]);
  });
});
