import { EventEmitter } from "node:events";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { SdkError } from "../errors.ts";
import { MemoryExporter } from "../testing/memory-exporter.ts";
import { createRecordingDiagnostics } from "../testing/recording-logger.ts";
import type { ProfileUpload } from "./exporter.ts";
import type { HelperRequest } from "./helper-messages.ts";
import { HelperTasks } from "./helper-tasks.ts";
import type { HelperPort } from "./helper-thread.ts";
import { HelperThread } from "./helper-thread.ts";
import type { HttpTarget } from "./http-target.ts";

const target: HttpTarget = {
  protocol: "push",
  serverAddress: "http://127.0.0.1:1",
  uploadTimeoutMs: 1000,
  headers: {},
};

const upload: ProfileUpload = { startUnixMs: 1, endUnixMs: 2, labels: [], profiles: [] };

const never = new AbortController().signal;

/** A worker whose tasks run in the thread of the test, behind a clone of each message. */
class FakePort extends EventEmitter implements HelperPort {
  readonly requests: HelperRequest[] = [];
  readonly exporter = new MemoryExporter();
  readonly calls: string[] = [];
  isDeaf = false;
  readonly #tasks = new HelperTasks(this.exporter, (answer) => this.emit("message", structuredClone(answer)));

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
    target,
    startWorker: startWorker ?? (() => port),
    loadExporter: async () => own,
    diagnostics,
  });
  return { lines, own, port, thread };
}

describe("HelperThread", () => {
  it("has its thread compress and export, and does not hold the process by it", async () => {
    const { own, port, thread } = createThread();
    thread.start();

    const bytes = await thread.compress(Buffer.from("profile"));
    const result = await thread.export(upload, never);

    expect(gunzipSync(bytes).toString()).toBe("profile");
    expect(result).toEqual({ ok: true });
    expect(port.exporter.uploads).toEqual([upload]);
    expect(port.calls).toEqual(["unref"]);
    expect(own.uploads).toEqual([]);
  });

  it("hands on why an export failed and when to try again", async () => {
    const { port, thread } = createThread();
    const error = new SdkError("upload: status 429", { code: "EXPORT_UNREACHABLE" });
    const retry = { kind: "patient", afterMs: 500 } as const;
    port.exporter.answers.push({ ok: false, error, retry });

    await expect(thread.export(upload, never)).resolves.toEqual({ ok: false, error, retry });
  });

  it("passes an abort on, with its reason", async () => {
    const { port, thread } = createThread();
    port.isDeaf = true;
    const abort = new AbortController();
    void thread.export(upload, abort.signal);

    abort.abort(new Error("no answer within 5 ms"));

    expect(port.requests.at(-1)).toEqual({ kind: "abort", id: 1, reason: "no answer within 5 ms" });
  });

  it("does all of it in this thread where there can be no other, and says so at the level debug", async () => {
    const { lines, own, thread } = createThread(() => {
      throw new Error("workers are forbidden");
    });
    thread.start();

    expect(gunzipSync(await thread.compress(Buffer.from("profile"))).toString()).toBe("profile");
    expect(await thread.export(upload, never)).toEqual({ ok: true });

    expect(own.uploads).toEqual([upload]);
    expect(thread.finish).toBeUndefined();
    expect(lines).toEqual([expect.stringMatching(/^debug .*workers are forbidden/)]);
  });

  it.for(["error", "exit"])(
    "does what it was asked for itself when the thread ends with %s",
    async (event) => {
      const { own, port, thread } = createThread();
      port.isDeaf = true;
      const exporting = thread.export(upload, never);
      const compressing = thread.compress(Buffer.from("profile"));

      port.emit(event, event === "exit" ? 1 : new Error("out of memory"));

      expect(await exporting).toEqual({ ok: true });
      expect(gunzipSync(await compressing).toString()).toBe("profile");
      expect(own.uploads).toEqual([upload]);
    },
  );

  it("ends its thread at shutdown, with the export that runs", async () => {
    const { lines, own, port, thread } = createThread();
    port.isDeaf = true;
    const exporting = thread.export(upload, never);

    await thread.shutdown();

    expect(await exporting).toMatchObject({ ok: false });
    expect(port.calls).toEqual(["unref", "terminate"]);
    expect(own.uploads).toEqual([]);
    expect(lines).toEqual([]);
  });

  it("counts nothing as sent when the thread does not answer in time", () => {
    const { port, thread } = createThread();
    port.isDeaf = true;
    thread.start();

    expect(thread.finish?.([upload], 1)).toBe(0);
  });
});
