import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProfileUpload } from "./exporter.ts";
import { FileExporter } from "./file-exporter.ts";

const never = new AbortController().signal;

const uploadAt = (startUnixMs: number, bytes = 10): ProfileUpload => ({
  startUnixMs,
  endUnixMs: startUnixMs + 1000,
  labels: [{ name: "service_name", value: "my shop/../x" }],
  profiles: [
    { name: "memory", type: "inuse_space", id: "0123456789ab", pprof: new Uint8Array(bytes), rawBytes: 20 },
  ],
});

const MIDNIGHT = Date.UTC(2026, 10, 27);
const fileAt = (seconds: number) =>
  `20261127T0000${String(seconds).padStart(2, "0")}.000Z-my_shop_.._x-inuse_space-01234567.pb.gz`;

describe("FileExporter", () => {
  let directory = "";
  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), "file-exporter-")), "profiles");
  });
  afterEach(() => rmSync(join(directory, ".."), { recursive: true }));

  const create = (more = {}) =>
    new FileExporter({ kind: "file", directory, maxBytes: 1000, maxFiles: 3, ...more });
  const list = () => readdirSync(directory).sort();

  it("makes the directory, and a file for each profile that says what it is and keeps its bytes", async () => {
    expect(await create().export(uploadAt(MIDNIGHT, 17), never)).toEqual({ ok: true });

    expect(list()).toEqual([fileAt(0)]);
    expect(readFileSync(join(directory, fileAt(0)))).toEqual(Buffer.alloc(17));
  });

  it("writes what is exported again to the same file", async () => {
    const exporter = create();
    await exporter.export(uploadAt(MIDNIGHT), never);
    await exporter.export(uploadAt(MIDNIGHT), never);

    expect(list()).toHaveLength(1);
  });

  it("leaves nothing of a file that could not be written", async () => {
    mkdirSync(join(directory, fileAt(0)), { recursive: true });

    expect(await create().export(uploadAt(MIDNIGHT), never)).toMatchObject({ ok: false });
    expect(list()).toEqual([fileAt(0)]);
  });

  it("deletes the oldest beyond the number of files, and nothing that it has not written", async () => {
    const exporter = create();
    await exporter.export(uploadAt(MIDNIGHT), never);
    writeFileSync(join(directory, "0-notes.pb.gz"), "mine");
    for (const second of [1, 2, 3]) await exporter.export(uploadAt(MIDNIGHT + second * 1000), never);

    expect(list()).toEqual(["0-notes.pb.gz", fileAt(1), fileAt(2), fileAt(3)]);
  });

  it("deletes the oldest one byte beyond the size", async () => {
    const exporter = create({ maxBytes: 100 });
    await exporter.export(uploadAt(MIDNIGHT, 50), never);
    await exporter.export(uploadAt(MIDNIGHT + 1000, 50), never);
    expect(list()).toEqual([fileAt(0), fileAt(1)]);

    await exporter.export(uploadAt(MIDNIGHT + 2000, 51), never);
    expect(list()).toEqual([fileAt(2)]);
  });

  it("removes what a killed process has left half written, when it is old", async () => {
    const exporter = create();
    await exporter.export(uploadAt(MIDNIGHT), never);
    for (const [second, ageSeconds] of [
      [8, 3600],
      [9, 0],
    ] as const) {
      const path = join(directory, `.${fileAt(second)}.tmp`);
      writeFileSync(path, "half");
      const time = Date.now() / 1000 - ageSeconds;
      utimesSync(path, time, time);
    }
    await exporter.export(uploadAt(MIDNIGHT + 1000), never);

    expect(list()).toEqual([`.${fileAt(9)}.tmp`, fileAt(0), fileAt(1)]);
  });

  it("says why it cannot write, and that it may be able to later", async () => {
    writeFileSync(directory, "a file where the directory should be");

    expect(await create().export(uploadAt(MIDNIGHT), never)).toMatchObject({
      ok: false,
      error: { code: "EXPORT_UNREACHABLE", message: expect.stringContaining(directory) },
      retry: { kind: "patient" },
    });
  });
});
