import { EventEmitter } from "node:events";
import { gunzipSync } from "node:zlib";
import { encodePprof, ProfileBuilder } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { SdkError } from "../errors.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryExporter } from "../testing/memory-exporter.ts";
import { createRecordingDiagnostics } from "../testing/recording-logger.ts";
import type { ProfileUpload } from "./exporter.ts";
import type { ExporterTarget } from "./exporter-target.ts";
import type { HelperRequest } from "./helper-messages.ts";
import { HelperTasks } from "./helper-tasks.ts";
import type { HelperPort } from "./helper-thread.ts";
import { HelperThread } from "./helper-thread.ts";

const target: ExporterTarget = { kind: "file", directory: "/nowhere", maxBytes: 1, maxFiles: 1 };

const builder = new ProfileBuilder({ sampleTypes: [{ type: "wall", unit: "nanoseconds" }] });
builder.addSample([], [7]);
const profile = builder.build();
const raw = encodePprof(profile);

const upload: ProfileUpload = { startUnixMs: 1, endUnixMs: 2, labels: [], profiles: [] };

const never = new AbortController().signal;

/** A worker whose tasks run in the thread of the test, behind a clone of each message. */
class FakePort extends EventEmitter implements HelperPort {
  readonly requests: HelperRequest[] = [];
  readonly exporter = new MemoryExporter();
  readonly calls: string[] = [];
  isDeaf = false;
  readonly #tasks = new HelperTasks([Promise.resolve(this.exporter)], (answer) =>
    this.emit("message", structuredClone(answer)),
  );

  postMessage(request: HelperRequest): void {
    this.requests.push(request);
    if (!this.isDeaf) void this.#tasks.handle(request);
  }

  unref(): void {
    this.calls.push("unref");
  }

  async terminate(): Promise<void> {
    this.calls.push("terminate");
    this.emit("exit", 1);
  }
}

function createThread(startWorker?: () => HelperPort) {
  const port = new FakePort();
  const own = new MemoryExporter();
  const { diagnostics, lines } = createRecordingDiagnostics();
  const thread = new HelperThread({
    targets: [target],
    clock: new ManualClock(),
    startWorker: startWorker ?? (() => port),
    openSourceMaps: undefined,
    problem: undefined,
    loadExporter: async () => own,
    diagnostics,
  });
  const exportUpload = (signal: AbortSignal = never) =>
    thread.exporters[0]?.export(upload, signal) ?? Promise.reject(new Error("no exporter"));
  return { exportUpload, lines, own, port, thread };
}

describe("HelperThread", () => {
  it("has its thread encode and export, and does not hold the process by it", async () => {
    const { exportUpload, own, port, thread } = createThread();

    const { parts } = await thread.encode(profile);
    const [part] = parts;
    const result = await exportUpload();

    expect(gunzipSync(part?.pprof ?? new Uint8Array())).toEqual(Buffer.from(raw));
    expect(part?.rawBytes).toBe(raw.byteLength);
    expect(thread.exporters.map(({ name }) => name)).toEqual(["file"]);
    expect(result).toEqual({ ok: true });
    expect(port.exporter.uploads).toEqual([upload]);
    expect(port.calls).toEqual(["unref"]);
    expect(own.uploads).toEqual([]);
  });

  it("has no thread before there is work, and starts it for the end of the process too", async () => {
    let startCount = 0;
    const port = new FakePort();
    const { thread } = createThread(() => {
      startCount++;
      return port;
    });
    expect([startCount, thread.problem]).toEqual([0, undefined]);

    expect(thread.finish).toBeDefined();
    await thread.encode(profile);

    expect(startCount).toBe(1);
  });

  it("hands on why an export failed and when to try again", async () => {
    const { exportUpload, port } = createThread();
    const error = new SdkError("upload: status 429", { code: "EXPORT_UNREACHABLE" });
    const retry = { kind: "patient", afterMs: 500 } as const;
    port.exporter.answers.push({ ok: false, error, retry });

    await expect(exportUpload()).resolves.toEqual({ ok: false, error, retry });
  });

  it("passes an abort on, with its reason", async () => {
    const { exportUpload, port } = createThread();
    port.isDeaf = true;
    const abort = new AbortController();
    void exportUpload(abort.signal);

    abort.abort(new Error("no answer within 5 ms"));

    expect(port.requests.at(-1)).toEqual({ kind: "abort", id: 1, reason: "no answer within 5 ms" });
  });

  it("does all of it in this thread where there can be no other, and says so at the level debug", async () => {
    const { exportUpload, lines, own, thread } = createThread(() => {
      throw new Error("workers are forbidden");
    });

    expect(await thread.encode(profile)).toMatchObject({ parts: [{ rawBytes: raw.byteLength }] });
    expect(await exportUpload()).toEqual({ ok: true });

    expect(own.uploads).toEqual([upload]);
    expect(thread.finish).toBeUndefined();
    expect(lines).toEqual([expect.stringMatching(/^debug .*workers are forbidden/)]);
  });

  it.for(["error", "exit"])(
    "does what it was asked for itself when the thread ends with %s",
    async (event) => {
      const { exportUpload, own, port, thread } = createThread();
      port.isDeaf = true;
      const exporting = exportUpload();
      const encoding = thread.encode(profile);

      port.emit(event, event === "exit" ? 1 : new Error("out of memory"));

      expect(await exporting).toEqual({ ok: true });
      expect(await encoding).toMatchObject({ parts: [{ rawBytes: raw.byteLength }] });
      expect(own.uploads).toEqual([upload]);
    },
  );

  it("starts a thread that ended once more, and then goes on in this one", async () => {
    const ports = [new FakePort(), new FakePort()];
    let startCount = 0;
    const { exportUpload, lines, own, thread } = createThread(() => {
      const port = ports[startCount++];
      if (port === undefined) throw new Error("started too often");
      return port;
    });
    await thread.encode(profile);

    ports[0]?.emit("error", new Error("out of memory"));
    expect(await exportUpload()).toEqual({ ok: true });
    expect(ports[1]?.exporter.uploads).toEqual([upload]);

    ports[1]?.emit("error", new Error("out of memory"));
    expect(await exportUpload()).toEqual({ ok: true });
    expect(own.uploads).toEqual([upload]);
    expect([startCount, lines]).toEqual([
      2,
      [
        "debug pyroscope: the helper thread ended and is started again: out of memory",
        "debug pyroscope: no helper thread, uploads run in this one: out of memory",
      ],
    ]);
  });

  it("ends its thread at shutdown, with the export that runs", async () => {
    const { exportUpload, lines, own, port, thread } = createThread();
    port.isDeaf = true;
    const exporting = exportUpload();

    await thread.shutdown();

    expect(await exporting).toMatchObject({ ok: false });
    expect(port.calls).toEqual(["unref", "terminate"]);
    expect(own.uploads).toEqual([]);
    expect(lines).toEqual([]);
  });

  it("counts nothing as sent when the thread does not answer in time", () => {
    const { port, thread } = createThread();
    port.isDeaf = true;

    expect(thread.finish?.([{ exporterIndex: 0, uploads: [upload] }], 1)).toBe(0);
  });
});
