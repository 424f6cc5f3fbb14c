import { gzipSync } from "node:zlib";
import { formatLabels } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import type { PushBatch } from "../../ingest/push-service.ts";
import {
  createIngestServer,
  form,
  INGEST_URL,
  MULTIPART,
  NOW_MS,
  PPROF,
  PROFILE_PART,
  post,
  refusal,
} from "../testing/ingest-server.ts";

describe("ingestRoute", () => {
  it.for(["/ingest", "/pyroscope/ingest"])(
    "hands the pprof of a form at %s to the ingester",
    async (path) => {
      const { app, batches } = await createIngestServer();
      const config = JSON.stringify({ inuse_space: { "display-name": "mutex_x" } });
      const body = form(PROFILE_PART, ['name="sample_type_config"; filename="c.json"', config]);

      expect(
        await post(app, body, { url: `${path}?name=shop{env=prod}&from=1772366390`, headers: MULTIPART }),
      ).toMatchObject({
        status: 200,
        body: "",
      });

      const [batch] = batches;
      expect(batch).toMatchObject({ tenant: "acme", receivedUnixMillis: NOW_MS, client: "test/1" });
      const [item] = batch!.items;
      expect(formatLabels(item!.labels)).toBe('{env="prod", pyroscope_spy="unknown", service_name="shop"}');
      expect(Buffer.from(item!.payload)).toEqual(PPROF);
      expect(item!.ingest?.fromUnixNanos).toBe(1_772_366_390_000_000_000n);
      expect(item!.ingest?.sampleTypeConfig?.get("inuse_space")?.displayName).toBe("mutex_x");
    },
  );

  const bodyOf = (batches: readonly PushBatch[]) => Buffer.from(batches[0]!.items[0]!.payload);

  it.for([
    ["a raw pprof", `${INGEST_URL}&format=pprof`, {}, PPROF],
    ["a form under format=pprof", `${INGEST_URL}&format=pprof`, MULTIPART, form(PROFILE_PART)],
    ["a form without its content type", `${INGEST_URL}&format=pprof`, {}, form(PROFILE_PART)],
    ["a plain field named profile", INGEST_URL, MULTIPART, form(['name="profile"', PPROF])],
    [
      "a form beside an empty prev_profile",
      INGEST_URL,
      MULTIPART,
      form(PROFILE_PART, ['name="prev_profile"', ""]),
    ],
    [
      "a body with Content-Encoding gzip",
      `${INGEST_URL}&format=pprof`,
      { "content-encoding": "GZIP" },
      gzipSync(PPROF),
    ],
  ] as const)("takes %s", async ([, url, headers, body]) => {
    const { app, batches } = await createIngestServer();

    expect(await post(app, body, { url, headers })).toMatchObject({ status: 200 });

    expect(bodyOf(batches)).toEqual(PPROF);
  });

  it("takes a gzipped pprof that names no format", async () => {
    const { app, batches } = await createIngestServer();

    expect(await post(app, gzipSync(PPROF))).toMatchObject({ status: 200 });

    expect(bodyOf(batches)).toEqual(gzipSync(PPROF));
  });

  it.for([
    ["an empty body", `${INGEST_URL}&format=pprof`, {}, ""],
    ["an empty body without a format", INGEST_URL, {}, ""],
    ["a form with an empty profile", INGEST_URL, MULTIPART, form(['name="profile"; filename="p"', ""])],
    ["a form without a profile", INGEST_URL, MULTIPART, form()],
  ] as const)("answers 200 to %s, which has nothing to store", async ([, url, headers, body]) => {
    const { app, batches } = await createIngestServer();

    expect(await post(app, body, { url, headers })).toMatchObject({ status: 200, body: "" });
    expect(batches).toEqual([]);
  });
});

describe("ingestRoute refusing", () => {
  it.for([
    [
      "a name that is missing",
      "/ingest?format=pprof",
      {},
      PPROF,
      599,
      "INVALID_ARGUMENT",
      "name: service name is required",
    ],
    [
      "a client that wants the server to subtract",
      INGEST_URL,
      MULTIPART,
      form(PROFILE_PART, ['name="prev_profile"; filename="p"', PPROF]),
      422,
      "unknown",
      "unsupported client version. Please update github.com/grafana/pyroscope-go to the latest version",
    ],
    [
      "a form without a boundary",
      INGEST_URL,
      { "content-type": "multipart/form-data" },
      PPROF,
      422,
      "unknown",
      "malformed multipart content type header: no boundary",
    ],
    [
      "a form that is cut",
      INGEST_URL,
      MULTIPART,
      form(PROFILE_PART).subarray(0, -9),
      422,
      "unknown",
      "reading a multipart body: it ends before its closing boundary",
    ],
    [
      "a config that is not JSON",
      INGEST_URL,
      MULTIPART,
      form(PROFILE_PART, ['name="sample_type_config"', "[]"]),
      422,
      "unknown",
      "sample_type_config=[]: expected an object",
    ],
    [
      "another Content-Encoding",
      `${INGEST_URL}&format=pprof`,
      { "content-encoding": "br" },
      PPROF,
      415,
      "unknown",
      'Content-Encoding "br": expected gzip, deflate, zstd or none',
    ],
    [
      "a body that is not the gzip it says",
      `${INGEST_URL}&format=pprof`,
      { "content-encoding": "gzip" },
      PPROF,
      599,
      "INVALID_ARGUMENT",
      "request body is not a whole gzip stream: incorrect header check",
    ],
  ] as const)("%s", async ([, url, headers, body, status, code, message]) => {
    const { app, batches } = await createIngestServer();

    expect(await post(app, body, { url, headers })).toMatchObject({ status, body: { code, message } });
    expect(batches).toEqual([]);
  });

  it.for([
    [
      "a profile that was refused",
      refusal({}),
      422,
      {
        code: "unknown",
        message:
          "pushing IngestInput-pprof failed push series with index 0 and id  failed: invalid_argument: sample type contains -",
      },
    ],
    [
      "a profile that does not decode",
      refusal({ isUndecodable: true, message: "empty profile" }),
      422,
      { code: "unknown", message: "parsing IngestInput-pprof failed empty profile" },
    ],
    [
      "a limit of the tenant",
      refusal({ code: "resource_exhausted", reason: "series_limit", message: "too many" }),
      599,
      { code: "RESOURCE_EXHAUSTED", message: "too many" },
    ],
    [
      "a disk that does not take it",
      refusal({ code: "unavailable", reason: "storage_unavailable", message: "disk full" }),
      599,
      { code: "STORAGE_UNAVAILABLE", message: "disk full" },
    ],
    [
      "a defect",
      refusal({ code: "internal", reason: "unknown", message: "x" }),
      599,
      { code: "INTERNAL", message: "x" },
    ],
  ] as const)("%s", async ([, result, status, body]) => {
    const { app } = await createIngestServer({ result });

    expect(await post(app, PPROF, { url: `${INGEST_URL}&format=pprof` })).toMatchObject({ status, body });
  });

  it("takes a body at its limit and refuses one byte more", async () => {
    const { app } = await createIngestServer({ bodyLimitBytes: PPROF.length });
    const url = `${INGEST_URL}&format=pprof`;

    expect(await post(app, PPROF, { url })).toMatchObject({ status: 200 });
    expect(await post(app, Buffer.concat([PPROF, PPROF]), { url })).toMatchObject({
      status: 413,
      body: { code: "invalid_argument", message: "request body too large: at least 12 bytes, limit 6" },
    });
  });

  it("counts a compressed body by what comes out of it", async () => {
    const { app } = await createIngestServer({ bodyLimitBytes: 1000 });

    const response = await post(app, gzipSync(Buffer.alloc(100_000)), {
      url: `${INGEST_URL}&format=pprof`,
      headers: { "content-encoding": "gzip" },
    });

    expect(response).toMatchObject({ status: 413 });
  });

  it("refuses a body that the budget can never hold for good, and gives every byte back", async () => {
    const { app, budget } = await createIngestServer({ maxInflightBytes: 2 * PPROF.length });
    const url = `${INGEST_URL}&format=pprof`;

    expect(await post(app, PPROF, { url })).toMatchObject({ status: 200 });
    expect(await post(app, Buffer.alloc(7), { url })).toMatchObject({ status: 413 });
    expect(budget.inflightBytes).toBe(0);
  });

  it("asks for patience while other bodies fill the budget", async () => {
    const { app, budget } = await createIngestServer({ maxInflightBytes: 2 * PPROF.length });
    const url = `${INGEST_URL}&format=pprof`;
    const other = budget.open();
    other.grow(PPROF.length + 1);

    expect(await post(app, PPROF, { url })).toMatchObject({ status: 599, body: { code: "UNAVAILABLE" } });
    other.release();
    expect(await post(app, PPROF, { url })).toMatchObject({ status: 200 });
  });

  it("counts what was stored and what was refused, by tenant and reason", async () => {
    const stored = await createIngestServer({ result: { ok: true, profiles: 3 } });
    const refused = await createIngestServer({ result: refusal({}) });
    const url = `${INGEST_URL}&format=pprof`;

    await post(stored.app, PPROF, { url });
    await post(refused.app, PPROF, { url });

    expect(await stored.render()).toContain('pyroscope_received_profiles_total{tenant="acme"} 3');
    expect(await stored.render()).toContain('pyroscope_received_bytes_total{tenant="acme"} 6');
    expect(await refused.render()).toContain(
      'pyroscope_discarded_samples_total{reason="malformed_profile",tenant="acme"} 1',
    );
    expect(await refused.render()).toContain(
      'pyroscope_discarded_bytes_total{reason="malformed_profile",tenant="acme"} 7',
    );
  });
});
