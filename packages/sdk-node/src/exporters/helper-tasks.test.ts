import { gunzipSync } from "node:zlib";
import { decodePprof, ProfileBuilder, totalValues } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { SdkError } from "../errors.ts";
import { settle } from "../testing/manual-clock.ts";
import { MemoryExporter } from "../testing/memory-exporter.ts";
import type { ExportResult, ProfileUpload } from "./exporter.ts";
import type { HelperAnswer } from "./helper-messages.ts";
import { OUTCOME_DONE, OUTCOME_LENGTH, OUTCOME_SENT_COUNT } from "./helper-messages.ts";
import { HelperTasks } from "./helper-tasks.ts";

const uploadAt = (startUnixMs: number): ProfileUpload => ({
  startUnixMs,
  endUnixMs: startUnixMs + 10,
  labels: [],
  profiles: [],
});

const failure = (kind: "never" | "patient"): ExportResult => ({
  ok: false,
  error: new SdkError(`mine: ${kind}`, {
    code: kind === "never" ? "EXPORT_REJECTED" : "EXPORT_UNREACHABLE",
  }),
  retry: { kind, afterMs: 7 },
});

function createTasks() {
  const exporter = new MemoryExporter();
  const second = new MemoryExporter();
  const answers: HelperAnswer[] = [];
  const tasks = new HelperTasks([Promise.resolve(exporter), Promise.resolve(second)], (answer) =>
    answers.push(answer),
  );
  const outcome = new Int32Array(new SharedArrayBuffer(OUTCOME_LENGTH * Int32Array.BYTES_PER_ELEMENT));
  const finish = (...starts: readonly number[]) =>
    tasks.handle({ kind: "finish", batches: [{ exporterIndex: 0, uploads: starts.map(uploadAt) }], outcome });
  const readOutcome = () => ({ isDone: outcome[OUTCOME_DONE] === 1, sentCount: outcome[OUTCOME_SENT_COUNT] });
  return { answers, exporter, finish, outcome, readOutcome, second, tasks };
}

describe("HelperTasks", () => {
  it("encodes a profile and compresses it with gzip", async () => {
    const { answers, tasks } = createTasks();
    const builder = new ProfileBuilder({ sampleTypes: [{ type: "wall", unit: "nanoseconds" }] });
    builder.addSample([], [7]);
    const profile = builder.build();

    await tasks.handle({ kind: "encode", id: 1, profile });

    const [answer] = answers;
    const parts = answer?.kind === "encoded" ? answer.encoding.parts : [];
    expect(parts.map(({ pprof }) => totalValues(decodePprof(gunzipSync(pprof))))).toEqual([[7n]]);
  });

  it("sends the batches of several exporters beside each other: one that is away costs the others nothing", async () => {
    const { exporter, outcome, readOutcome, second, tasks } = createTasks();
    exporter.answers.push(failure("patient"));
    const batches = [0, 1].map((exporterIndex) => ({ exporterIndex, uploads: [uploadAt(1), uploadAt(2)] }));

    await tasks.handle({ kind: "finish", batches, outcome });

    expect([exporter.uploads.length, second.uploads.length]).toEqual([0, 2]);
    expect(readOutcome()).toEqual({ isDone: true, sentCount: 2 });
  });

  it("answers each export with what became of it, in plain data", async () => {
    const { answers, exporter, tasks } = createTasks();
    exporter.answers.push({ ok: true }, failure("never"));

    await tasks.handle({ kind: "export", id: 1, exporterIndex: 0, upload: uploadAt(1) });
    await tasks.handle({ kind: "export", id: 2, exporterIndex: 0, upload: uploadAt(2) });

    const retry = { kind: "never", afterMs: 7 };
    expect(structuredClone(answers)).toEqual([
      { kind: "exported", id: 1, result: { ok: true } },
      { kind: "exported", id: 2, result: { ok: false, message: "mine: never", isRejected: true, retry } },
    ]);
  });

  it("aborts one export and no other", async () => {
    const { exporter, tasks } = createTasks();
    const reasons: unknown[] = [];
    exporter.export = (_upload, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason);
          resolve(failure("patient"));
        });
      });
    const first = tasks.handle({ kind: "export", id: 1, exporterIndex: 0, upload: uploadAt(1) });
    void tasks.handle({ kind: "export", id: 2, exporterIndex: 0, upload: uploadAt(2) });
    await settle();

    await tasks.handle({ kind: "abort", id: 1, reason: "no answer within 5 ms" });
    await first;

    expect(reasons).toEqual([new Error("no answer within 5 ms")]);
  });

  it("sends the latest window first at the end, and counts what arrived", async () => {
    const { exporter, finish, readOutcome } = createTasks();
    exporter.answers.push({ ok: true }, failure("never"));

    await finish(1, 2, 3);

    expect(exporter.uploads.map(({ startUnixMs }) => startUnixMs)).toEqual([3, 1]);
    expect(readOutcome()).toEqual({ isDone: true, sentCount: 2 });
  });

  it("gives the rest up when the server is away", async () => {
    const { exporter, finish, readOutcome } = createTasks();
    exporter.answers.push({ ok: true }, failure("patient"));

    await finish(1, 2, 3);

    expect(exporter.uploads.map(({ startUnixMs }) => startUnixMs)).toEqual([3]);
    expect(readOutcome()).toEqual({ isDone: true, sentCount: 1 });
  });

  it("waits for the export that runs, and counts it too", async () => {
    const { exporter, finish, readOutcome, tasks } = createTasks();
    let arrive = (_result: ExportResult): void => undefined;
    exporter.export = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    const running = tasks.handle({ kind: "export", id: 1, exporterIndex: 0, upload: uploadAt(1) });

    const finishing = finish();
    await settle();
    expect(readOutcome()).toEqual({ isDone: false, sentCount: 0 });
    arrive({ ok: true });
    await Promise.all([running, finishing]);

    expect(readOutcome()).toEqual({ isDone: true, sentCount: 1 });
  });
});
