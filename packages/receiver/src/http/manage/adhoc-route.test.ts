import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AdHocFiles } from "../../adhoc/adhoc-files.ts";
import { AdHocProfiles } from "../../adhoc/adhoc-profiles.ts";
import { DirectoryBlobs } from "../../store/directory-blobs.ts";
import { nodeFs } from "../../store/node-fs.ts";
import { createTestApp, type TestApp } from "../../testing/create-test-app.ts";

let directory: string;
let server: TestApp;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-adhoc-"));
  const blobs = new DirectoryBlobs(nodeFs, join(directory, "adhoc"));
  const files = new AdHocFiles({
    ...{ blobs, prefix: "", place: "adhoc/", fs: nodeFs, drafts: join(directory, "tmp") },
  });
  const adHoc = new AdHocProfiles({ files, clock: { nowUnixMillis: () => 1_700_000_000_000 } });
  server = await createTestApp({
    flags: { "auth.multitenancy-enabled": "true" },
    storage: {
      uploadAdHoc: (command) => adHoc.uploadAdHoc(command),
      getAdHoc: (query) => adHoc.getAdHoc(query),
      listAdHoc: (query) => adHoc.listAdHoc(query),
      diffAdHoc: (query) => adHoc.diffAdHoc(query),
    },
  });
});

afterEach(async () => {
  await server.app.close();
  await rm(directory, { recursive: true });
});

async function call(method: string, message: object, tenant = "a") {
  const response = await server.app.inject({
    method: "POST",
    url: `/adhocprofiles.v1.AdHocProfileService/${method}`,
    headers: { "content-type": "application/json", "x-scope-orgid": tenant },
    payload: JSON.stringify(message),
  });
  return { status: response.statusCode, body: response.json() };
}

const toBase64 = (text: string): string => Buffer.from(text).toString("base64");
const METADATA = { spyName: "", sampleRate: 100, units: "objects", name: "samples" };

describe("adhocprofiles.v1", () => {
  it("gives back what was uploaded in the JSON of /render, for each tenant apart", async () => {
    const uploaded = await call("Upload", { name: "shop.txt", profile: toBase64("main;a 9\nmain;b 1\n") });
    const { id, flamebearerProfile } = uploaded.body;

    expect(uploaded).toMatchObject({
      status: 200,
      body: {
        name: "shop.txt",
        uploadedAt: "1700000000000",
        profileType: "samples",
        profileTypes: ["samples"],
      },
    });
    expect(JSON.parse(flamebearerProfile)).toEqual({
      version: 1,
      flamebearer: {
        names: ["total", "main", "b", "a"],
        levels: [
          [0, 10, 0, 0],
          [0, 10, 0, 1],
          [0, 9, 9, 3, 0, 1, 1, 2],
        ],
        numTicks: 10,
        maxSelf: 9,
      },
      metadata: { format: "single", ...METADATA },
      timeline: null,
      groups: null,
      heatmap: null,
    });
    expect(await call("Get", { id })).toEqual(uploaded);
    expect((await call("List", {})).body).toEqual({
      profiles: [{ id, name: "shop.txt", uploadedAt: "1700000000000" }],
    });
    expect(await call("List", {}, "b")).toEqual({ status: 200, body: {} });
    expect((await call("Get", { id }, "b")).status).toBe(404);
  });

  it("answers a difference in the JSON of /render-diff", async () => {
    const left = await call("Upload", { name: "left", profile: toBase64("main 2\n") });
    const right = await call("Upload", { name: "right", profile: toBase64("main 3\n") });

    const { status, body } = await call("Diff", { leftId: left.body.id, rightId: right.body.id });

    expect(status).toBe(200);
    expect(body.profileTypes).toEqual(["samples"]);
    expect(JSON.parse(body.flamebearerProfile)).toMatchObject({
      metadata: { format: "double", ...METADATA },
      leftTicks: 2,
      rightTicks: 3,
    });
  });

  it.for([
    [
      "Upload",
      { name: "x", profile: toBase64("main 1\n"), maxNodes: 2_000_000 },
      "a",
      400,
      "invalid_argument",
    ],
    ["Upload", { name: "x", profile: "?" }, "a", 400, "invalid_argument"],
    ["Upload", { name: "x", profile: toBase64("main 1\n") }, "a|b", 400, "invalid_argument"],
    ["Get", { id: "../../x" }, "a", 400, "invalid_argument"],
    ["Get", { id: "x" }, "a", 404, "not_found"],
    ["Diff", { leftId: "x", rightId: "x" }, "a", 404, "not_found"],
  ] as const)("refuses %s of %j for tenant %s with %i", async ([method, message, tenant, status, code]) => {
    expect(await call(method, message, tenant)).toMatchObject({ status, body: { code } });
  });
});
