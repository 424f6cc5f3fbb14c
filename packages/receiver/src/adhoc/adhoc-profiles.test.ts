import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildTree, diffTrees, encodePprof, type Tree } from "@pyroscope-ts/protocol";
import { profileFromText, stacksFromText } from "@pyroscope-ts/protocol/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "../ingest/limits.ts";
import { DirectoryBlobs } from "../store/directory-blobs.ts";
import { nodeFs } from "../store/node-fs.ts";
import { FaultyFs } from "../store/testing/faulty-fs.ts";
import { AdHocFiles, type AdHocFilesOptions } from "./adhoc-files.ts";
import { AdHocProfiles } from "./adhoc-profiles.ts";

const DRAWING = `
  main    main
  handle  idle
`;
const JFR = readFileSync(new URL("../../../protocol/src/jfr/testdata/agent-itimer.jfr.gz", import.meta.url));

let root: string;
let now: number;
let service: AdHocProfiles;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pyroscope-adhoc-"));
  now = 1_700_000_000_000;
  service = create();
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

function create(options: Partial<AdHocFilesOptions> = {}): AdHocProfiles {
  const files = new AdHocFiles({
    blobs: new DirectoryBlobs(options.fs ?? nodeFs, join(root, "adhoc")),
    prefix: "",
    place: "adhoc/",
    fs: nodeFs,
    drafts: join(root, "tmp"),
    ...options,
  });
  return new AdHocProfiles({ files, clock: { nowUnixMillis: () => now++ } });
}

interface File {
  readonly tenant?: string;
  readonly name?: string;
  readonly limits?: Partial<IngestLimits>;
  readonly maxNodes?: number;
}

async function upload(
  content: Uint8Array | string,
  { tenant = "a", name = "cpu.pb", limits, maxNodes = 0 }: File = {},
) {
  const base64 = Buffer.from(content).toString("base64");
  return await service.uploadAdHoc({
    ...{ tenant, name, base64, maxNodes },
    limits: { ...DEFAULT_INGEST_LIMITS, ...limits },
  });
}

async function get(id: string, { tenant = "a", type }: { tenant?: string; type?: string } = {}) {
  return await service.getAdHoc({ tenant, id, type, limits: DEFAULT_INGEST_LIMITS, maxNodes: 0 });
}

async function diff(leftId: string, rightId: string, maxNodes = 0) {
  const limits = DEFAULT_INGEST_LIMITS;
  return await service.diffAdHoc({ tenant: "a", leftId, rightId, type: undefined, limits, maxNodes });
}

function pprof(values: readonly number[], types = ["samples", "cpu"]): Uint8Array {
  const sampleTypes = types.map((type) => ({ type, unit: type === "cpu" ? "nanoseconds" : "count" }));
  return encodePprof(profileFromText(DRAWING, { values, sampleTypes }));
}

function namesOf({ name, names }: Tree): readonly string[] {
  return Array.from(name, (row) => names[row] ?? "");
}

const tree = (values: readonly number[]): Tree => buildTree(stacksFromText(DRAWING, values));
const speedscope = JSON.stringify({
  $schema: "https://www.speedscope.app/file-format-schema.json",
  shared: { frames: [{ name: "main" }, { name: "idle" }] },
  profiles: ["one", "two"].map((name) => ({
    ...{ type: "sampled", name, unit: "milliseconds", startValue: 0, endValue: 3 },
    samples: [[0], [0, 1]],
    weights: [1, 2],
  })),
});

describe("AdHocProfiles", () => {
  it("has what was uploaded after a restart, the newest first, for each tenant apart", async () => {
    const first = await upload(pprof([3, 4]), { name: "../x y.pb" });
    const second = await upload(pprof([1, 1]));
    await upload(pprof([1, 1]), { tenant: "../b" });

    service = create();

    expect(first).toMatchObject({ name: ".._x_y.pb", uploadedUnixMillis: 1_700_000_000_000 });
    expect((await service.listAdHoc({ tenant: "a" })).map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(await service.listAdHoc({ tenant: "c" })).toEqual([]);
    expect(await get(first.id)).toEqual(first);
    expect(first.tree).toEqual(tree([3, 4]));
    await expect(get(first.id, { tenant: "c" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await readdir(join(root, "adhoc"))).sort()).toEqual(["%2E%2E%2Fb", ".drafts", "a"]);
  });

  it.for([
    ["a pprof", pprof([3, 4]), ["samples", "cpu"], ["total", "main", "handle", "idle"], 7],
    ["a gzip pprof", gzipSync(pprof([3, 4])), ["samples", "cpu"], ["total", "main", "handle", "idle"], 7],
    ["folded text", "main;idle 3\nmain 4\n", ["samples"], ["total", "main", "idle"], 7],
    ["speedscope", speedscope, ["wall", "wall (two)"], ["total", "main", "idle"], 3_000_000],
  ] as const)("shows %s", async ([, content, types, names, total]) => {
    const answer = await upload(content);

    expect(answer.types).toEqual(types);
    expect(answer.type).toBe(types[0]);
    expect(namesOf(answer.tree)).toEqual(names);
    expect(answer.tree.total[0]).toBe(total);
  });

  it("shows each kind of event of a recording under a name of its own", async () => {
    const { types, tree: shown } = await upload(JFR);

    expect(types).toContain("cpu");
    expect(new Set(types).size).toBe(types.length);
    expect(shown.total[0]).toBeGreaterThan(0);
  });

  it("answers the type that is asked for, and the first for one that the file does not have", async () => {
    const { id } = await upload(pprof([3, 4]));

    expect(await get(id, { type: "cpu" })).toMatchObject({
      type: "cpu",
      profileType: { sampleUnit: "nanoseconds" },
    });
    expect(await get(id, { type: "other" })).toMatchObject({ type: "samples" });
  });

  it("keeps no more nodes than are asked for", async () => {
    const { tree: cut } = await upload("main;large 9\nmain;small 1\n", { maxNodes: 2 });

    expect(namesOf(cut)).toEqual(["total", "main", "large", "other"]);
  });

  it("lays two files over each other by the first type that both have", async () => {
    const left = await upload(pprof([3, 4], ["objects", "samples"]));
    const right = await upload(pprof([1, 2], ["samples"]));

    const { types, tree: laid } = await diff(right.id, right.id);

    expect(types).toEqual(["samples"]);
    expect(laid).toEqual(diffTrees(tree([1, 2]), tree([1, 2])));
    expect((await diff(left.id, right.id)).tree.rightTotal[0]).toBe(3);
  });

  it("refuses a difference of what has nothing in common", async () => {
    const left = await upload(pprof([3, 4], ["objects"]));
    const right = await upload(pprof([1, 2], ["samples"]));

    await expect(diff(left.id, right.id)).rejects.toThrow(
      "no common profile types between left (objects) and right (samples)",
    );
  });

  it.for([
    ["../a", "INVALID_ARGUMENT", "id '../a' is invalid: can only contain [a-zA-Z0-9_-.]"],
    ["", "INVALID_ARGUMENT", "id '' is invalid"],
    ["..", "NOT_FOUND", "profile '..' is not stored"],
    ["01ARZ3NDEKTSV4RRFFQ69G5FAV-7-cpu.pb", "NOT_FOUND", "is not stored"],
  ] as const)("refuses id %j with %s", async ([id, code, message]) => {
    await expect(get(id)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it.for([
    ["nothing", "", {}, "empty file"],
    ["binary that is no pprof", Buffer.from([1, 2, 3, 4]), {}, ""],
    ["text without values", "no value here\n", {}, ""],
    ["JSON that is not speedscope", "{}", {}, ""],
    ["gzip that is cut", gzipSync(pprof([1, 1])).subarray(0, -4), {}, "not a whole gzip stream"],
    ["values below 0", pprof([-1, 1]), {}, "values below 0"],
    [
      "more bytes than a profile may have",
      pprof([1, 1]),
      { maxProfileSizeBytes: 10 },
      "profile payload size exceeds limit of 10 B",
    ],
    [
      "more bytes once unpacked",
      gzipSync(Buffer.alloc(2000)),
      { maxProfileSizeBytes: 1000 },
      "uncompressed profile payload size exceeds limit of 1.0 kB",
    ],
    ["more samples than a profile may have", pprof([1, 1]), { maxSamples: 1 }, "actual: 2, limit: 1"],
  ] as const)("refuses %s and keeps nothing", async ([, content, limits, message]) => {
    await expect(upload(content, { limits })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message),
    });
    expect(await service.listAdHoc({ tenant: "a" })).toEqual([]);
  });

  it("takes base64 with line breaks, and no other text", async () => {
    const base64 = Buffer.from("main 7\n").toString("base64");
    const send = (text: string) =>
      service.uploadAdHoc({
        tenant: "a",
        name: "",
        base64: text,
        maxNodes: 0,
        limits: DEFAULT_INGEST_LIMITS,
      });

    expect(await send(`${base64.slice(0, 3)}\r\n${base64.slice(3)}\n`)).toMatchObject({ name: "profile" });
    await expect(send("main-7")).rejects.toThrow("character 5 is not base64");
    await expect(send("AAAAA")).rejects.toThrow("cut off");
  });

  it("takes what is at its limit and refuses what is one past it", async () => {
    service = create({ maxFileCount: 2, maxTotalBytes: 20 });
    await upload("main 1\n", { name: "n".repeat(200) });

    await expect(upload("main 1\n", { name: "n".repeat(201) })).rejects.toThrow("201 characters, limit 200");
    await expect(upload("main 12345678\n")).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringMatching(/7 bytes are stored, 14 more are above the limit of 20: .* in adhoc\/$/),
    });
    await upload("main 1234567\n");
    await expect(upload("main 1\n")).rejects.toThrow("2 profiles are stored, limit 2");
    await upload("main 1\n", { tenant: "b" });
    expect(await service.listAdHoc({ tenant: "a" })).toHaveLength(2);
  });

  it("takes no more than fits of several uploads at once", async () => {
    service = create({ maxFileCount: 2 });

    const results = await Promise.allSettled([1, 2, 3].map((value) => upload(`main ${value}\n`)));

    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  });

  it.for(["writeFile", "append", "rename", "syncDirectory"] as const)(
    "acknowledges nothing when %s tears, and takes the next",
    async (broken) => {
      let isBroken = true;
      const fs = new FaultyFs(
        (operation) => (isBroken && operation === broken ? "tears" : "works"),
        "ENOSPC",
      );
      service = create({ fs });

      await expect(upload("main 1\n")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
      isBroken = false;
      const { id } = await upload("main 2\n");

      expect((await get(id)).tree.total[0]).toBe(2);
    },
  );

  it("shares a bucket with what is not its own", async () => {
    const blobs = new DirectoryBlobs(nodeFs, join(root, "bucket"));
    service = create({ blobs, prefix: "adhoc/" });
    const { id } = await upload("main 1\n");

    expect(await blobs.list("")).toEqual([`adhoc/a/${id}`]);
    expect((await service.listAdHoc({ tenant: "a" })).map((file) => file.id)).toEqual([id]);
    expect(await service.listAdHoc({ tenant: "adhoc" })).toEqual([]);
  });

  it("says that a file was damaged", async () => {
    const { id } = await upload("main 1\n");
    await truncate(join(root, "adhoc", "a", id), 3);

    await expect(get(id)).rejects.toMatchObject({ code: "STORAGE_FORMAT" });
  });
});
