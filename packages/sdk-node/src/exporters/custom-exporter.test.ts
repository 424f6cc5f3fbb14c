import { describe, expect, it } from "vitest";
import { adaptExporter, type CustomExporter } from "./custom-exporter.ts";
import type { ProfileUpload } from "./exporter.ts";

const upload: ProfileUpload = { startUnixMs: 1, endUnixMs: 2, labels: [], profiles: [] };
const never = new AbortController().signal;
const run = (exportUpload: CustomExporter["export"]) =>
  adaptExporter({ export: exportUpload }).export(upload, never);

describe("adaptExporter", () => {
  it.for([undefined, null, 7, {}, { ok: true }])("takes %j for success", async (returned) => {
    expect(await run(() => returned)).toEqual({ ok: true });
    expect(await run(async () => returned)).toEqual({ ok: true });
  });

  it("takes what is thrown, at once or later, for a failure with some more attempts", async () => {
    const failure = {
      ok: false,
      error: { message: "exporter: disk full" },
      retry: { kind: "limited", afterMs: undefined },
    };
    const fail = (): never => {
      throw new Error("disk full");
    };

    expect(await run(fail)).toMatchObject(failure);
    expect(await run(async () => fail())).toMatchObject(failure);
  });

  it("does as the exporter says of a failure, and no nonsense", async () => {
    const result = (retry: unknown) => run(() => ({ ok: false, error: new Error("no"), retry }));

    expect(await result({ kind: "never" })).toMatchObject({ retry: { kind: "never" } });
    expect(await result({ kind: "patient", afterMs: 5 })).toMatchObject({
      error: { message: "exporter: no" },
      retry: { kind: "patient", afterMs: 5 },
    });
    expect(await result({ kind: "patient", afterMs: "5" })).toMatchObject({ retry: { afterMs: undefined } });
    expect(await result("soon")).toMatchObject({ retry: { kind: "limited" } });
  });

  it("fails at an abort, also when the exporter takes no notice", async () => {
    const abort = new AbortController();
    const result = adaptExporter({ export: () => new Promise(() => {}) }).export(upload, abort.signal);

    abort.abort(new Error("no answer within 5 ms"));

    expect(await result).toMatchObject({ ok: false, error: { message: "exporter: no answer within 5 ms" } });
  });

  it("keeps the object's own this, and its name", async () => {
    class Archive {
      readonly name = "archive";
      readonly kept: ProfileUpload[] = [];
      async export(each: ProfileUpload) {
        this.kept.push(each);
      }
      exportAtExit(each: ProfileUpload) {
        this.kept.push(each);
      }
    }
    const archive = new Archive();
    const exporter = adaptExporter(archive);

    await exporter.export(upload, never);
    exporter.exportAtExit?.(upload);
    await exporter.shutdown();

    expect(archive.kept).toEqual([upload, upload]);
    expect([exporter.name, adaptExporter({ export: () => {} }).name]).toEqual(["archive", "custom"]);
  });
});
