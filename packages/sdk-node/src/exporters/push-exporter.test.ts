import { fromBinary, PushRequestSchema } from "@pyroscope-ts/protocol/messages";
import { describe, expect, it } from "vitest";
import { Secret } from "../secret.ts";
import type { ProfileUpload } from "./exporter.ts";
import { formatIngestQuery } from "./ingest-exporter.ts";
import { encodePushRequest } from "./push-exporter.ts";
import { createHeaders } from "./send-upload.ts";

const upload: ProfileUpload = {
  startUnixMs: 1_700_000_000_250,
  endUnixMs: 1_700_000_015_250,
  labels: [
    { name: "process.runtime.name", value: "nodejs" },
    { name: "region", value: "eu,west}" },
    { name: "service_name", value: "my shop" },
  ],
  profiles: [
    { name: "memory", type: "inuse_space", id: "id-1", pprof: Uint8Array.of(1), rawBytes: 9 },
    { name: "memory", type: "inuse_space", id: "id-2", pprof: Uint8Array.of(2), rawBytes: 9 },
    { name: "wall", type: "wall", id: "id-3", pprof: Uint8Array.of(3), rawBytes: 9 },
  ],
};

describe("encodePushRequest", () => {
  it("has one series for each profile name, with all labels in order of their names", () => {
    const { series } = fromBinary(PushRequestSchema, encodePushRequest(upload));

    expect(series.map(({ labels }) => labels.map(({ name, value }) => `${name}=${value}`))).toEqual(
      ["memory", "wall"].map((name) => [
        `__name__=${name}`,
        "process.runtime.name=nodejs",
        "region=eu,west}",
        "service_name=my shop",
      ]),
    );
    expect(series.map(({ samples }) => samples.map(({ ID, rawProfile }) => `${ID} ${rawProfile}`))).toEqual([
      ["id-1 1", "id-2 2"],
      ["id-3 3"],
    ]);
  });
});

describe("formatIngestQuery", () => {
  it("names the application with its labels in the grammar of /ingest, and rounds times outwards", () => {
    const query = new URLSearchParams(formatIngestQuery(upload));

    expect(Object.fromEntries(query)).toEqual({
      name: "my_shop{process.runtime.name=nodejs,region=eu_west_}",
      from: "1700000000",
      until: "1700000016",
      format: "pprof",
      spyName: "nodespy",
    });
  });
});

describe("createHeaders", () => {
  const nothing = {
    authToken: undefined,
    basicAuthUser: undefined,
    basicAuthPassword: undefined,
    tenantId: undefined,
    httpHeaders: new Map<string, Secret>(),
  };

  it("prefers a token to a user and password, and the user's own headers to both", () => {
    const basic = { ...nothing, basicAuthUser: "me", basicAuthPassword: new Secret("pw") };
    const token = { ...basic, authToken: new Secret("t") };
    const own = { ...token, httpHeaders: new Map([["authorization", new Secret("Own x")]]) };

    expect(createHeaders(nothing)).not.toHaveProperty("authorization");
    expect(createHeaders(basic).authorization).toBe(`Basic ${btoa("me:pw")}`);
    expect(createHeaders(token).authorization).toBe("Bearer t");
    expect(createHeaders(own).authorization).toBe("Own x");
  });
});
