import { gzipSync } from "node:zlib";
import { formatLabels } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import {
  createIngestServer,
  form,
  MULTIPART,
  PROFILE_PART,
  post,
  refusal,
} from "../testing/ingest-server.ts";

describe("ingestRoute of text and trees", () => {
  const TEXT_URL = "/ingest?name=my.shop.cpu{env=prod}&from=1772366390&until=1772366400&sampleRate=50";

  it.for([
    ["groups", "", "groups"],
    ["folded", "", "groups"],
    ["collapsed", "", "groups"],
    ["", "text/plain", "groups"],
    ["lines", "", "lines"],
    ["trie", "", "trie"],
    ["", "binary/octet-stream+trie", "trie"],
    ["tree", "", "tree"],
    ["", "binary/octet-stream+tree", "tree"],
  ] as const)("hands format %j of type %j to the ingester as %s", async ([format, type, expected]) => {
    const { app, batches } = await createIngestServer();

    const headers = type === "" ? {} : { "content-type": type };
    expect(await post(app, "a;b 1\n", { url: `${TEXT_URL}&format=${format}`, headers })).toMatchObject({
      status: 200,
      body: "",
    });

    const [item] = batches[0]!.items;
    expect(formatLabels(item!.labels)).toBe('{env="prod", pyroscope_spy="unknown"}');
    expect(item!.format).toEqual({
      kind: "stacks",
      format: expected,
      appName: "my.shop.cpu",
      sampleRateHz: 50,
      fromUnixNanos: 1_772_366_390_000_000_000n,
      untilUnixNanos: 1_772_366_400_000_000_000n,
    });
    expect(Buffer.from(item!.payload).toString()).toBe("a;b 1\n");
  });

  it("hands a speedscope file over, whatever the application's name ends in", async () => {
    const { app, batches } = await createIngestServer();

    await post(app, "{}", { url: "/ingest?name=my.shop&format=speedscope" });

    expect(batches[0]!.items[0]).toMatchObject({ format: { kind: "speedscope", appName: "my.shop" } });
  });

  it("takes gzipped text whose format is named for text", async () => {
    const { app, batches } = await createIngestServer();

    await post(app, gzipSync("a 1"), { url: `${TEXT_URL}&format=folded` });

    expect(batches[0]!.items[0]).toMatchObject({ format: { kind: "stacks", format: "groups" } });
  });

  it("refuses a name that ends in no type with 400, before anything is pushed", async () => {
    const { app, batches } = await createIngestServer();

    // 599 stands for the server's own error handler, which answers this code with 400.
    expect(await post(app, "a 1", { url: "/ingest?name=my.app&format=folded" })).toMatchObject({
      status: 599,
      body: { code: "INVALID_ARGUMENT", message: "unknown profile type: app" },
    });
    expect(batches).toEqual([]);
  });

  it("stores nothing of a profile with a profile_id, whose samples are in another", async () => {
    const { app, batches } = await createIngestServer();

    expect(await post(app, "a 1", { url: "/ingest?name=app{profile_id=7}&format=folded" })).toMatchObject({
      status: 200,
    });
    expect(batches).toEqual([]);
  });

  it.for([
    [
      "folded",
      true,
      422,
      { code: "unknown", message: "parsing IngestInput-groups failed sample type contains -" },
    ],
    ["folded", false, 599, { code: "INVALID_ARGUMENT", message: "sample type contains -" }],
    ["tree", false, 599, { code: "INVALID_ARGUMENT", message: "sample type contains -" }],
    [
      "speedscope",
      false,
      422,
      {
        code: "unknown",
        message: "pyroscopeIngesterAdapter failed to push: invalid_argument: sample type contains -",
      },
    ],
  ] as const)(
    "answers a refusal of %s, undecodable: %j, with %d",
    async ([format, isUndecodable, status, body]) => {
      const { app } = await createIngestServer({ result: refusal({ isUndecodable }) });

      expect(await post(app, "a 1", { url: `${TEXT_URL}&format=${format}` })).toMatchObject({ status, body });
    },
  );
});

describe("ingestRoute of pprofs that need a correction", () => {
  const config = (text: string) => [PROFILE_PART, ['name="sample_type_config"; filename="c"', text] as const];

  it.for([
    ["pyspy", "{}", { kind: "spy", fix: "files", spyName: "pyspy" }],
    ["rbspy", "{}", { kind: "spy", fix: "files", spyName: "rbspy" }],
    ["scripting", "{}", { kind: "spy", fix: "files", spyName: "scripting" }],
    ["dotnetspy", "{}", { kind: "spy", fix: "dotnet", spyName: "dotnetspy" }],
    ["unknown", '{"inuse-space":{}}', { kind: "spy", fix: "dotnet", spyName: "unknown" }],
    ["gospy", '{"inuse-space":{}}', undefined],
    ["unknown", '{"inuse_space":{}}', undefined],
  ] as const)("of spy %s with config %s", async ([spyName, text, format]) => {
    const { app, batches } = await createIngestServer();

    await post(app, form(...config(text)), { url: `/ingest?name=a&spyName=${spyName}`, headers: MULTIPART });

    expect(batches[0]!.items[0]!.format).toEqual(format);
  });
});
