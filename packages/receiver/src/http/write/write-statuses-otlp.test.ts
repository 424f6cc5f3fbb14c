import { describe, expect, it } from "vitest";
import { ReceiverError } from "../../errors.ts";
import { Ingester } from "../../ingest/ingester.ts";
import { createTestApp } from "../../testing/create-test-app.ts";

/** The clock of the test server. */
const NOW_MS = 1_700_000_000_000;

interface Situation {
  readonly what: string;
  readonly flags?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly sampleCount?: number;
  readonly timeUnixMillis?: number;
  /** In place of the request that the fields above make. */
  readonly body?: string;
  readonly failure?: ReceiverError;
  readonly status: number;
  readonly text: string;
  readonly reason?: string;
}

// Texts are Pyroscope's; a body that cannot be decoded is 400 here, where it is 500 there.
const situations: readonly Situation[] = [
  {
    what: "a content type with parameters",
    contentType: "application/json; charset=utf-8",
    status: 415,
    text: "Unsupported Content-Type: application/json; charset=utf-8",
    reason: "malformed_profile",
  },
  {
    what: "text that is no JSON",
    body: "{",
    status: 400,
    text: "Failed to parse JSON request",
    reason: "malformed_profile",
  },
  {
    what: "no dictionary",
    body: '{"resourceProfiles":[{}]}',
    status: 400,
    text: "missing profile metadata dictionary",
    reason: "malformed_profile",
  },
  {
    what: "too many samples",
    flags: { "max-profile-stacktrace-samples": "1" },
    sampleCount: 2,
    status: 400,
    text: "exceeds the samples count limit (max_profile_stacktrace_samples, actual: 2, limit: 1)",
    reason: "samples_limit",
  },
  {
    what: "a profile of yesterday",
    timeUnixMillis: NOW_MS - 86_400_000,
    status: 400,
    text: "failed to make a GRPC request: push series with index 0 and id ",
    reason: "not_in_ingestion_window",
  },
  {
    what: "a label value that is too long",
    flags: { "max-label-value-length": "20" },
    attributes: { pod: "far-too-long-a-value-for-a-pod" },
    status: 400,
    text: "has label value too long: 'far-too-long-a-value-for-a-pod'",
    reason: "label_value_too_long",
  },
  {
    what: "an attribute that repeats a label of the receiver's",
    attributes: { service_name: "other" },
    status: 400,
    text: "has duplicate label name: 'service_name'",
    reason: "duplicate_label_names",
  },
  {
    what: "a rate that is used up",
    flags: { "ingestion-rate-mb": "0.00001", "ingestion-burst-size-mb": "0", "max-profile-size-bytes": "0" },
    status: 429,
    text: "push rate limit (10 B) exceeded while adding ",
    reason: "rate_limited",
  },
  {
    what: "a disk that takes no writes",
    failure: new ReceiverError("append: ENOSPC", { code: "STORAGE_UNAVAILABLE" }),
    status: 503,
    text: "append: ENOSPC",
    reason: "storage_unavailable",
  },
  {
    what: "a body that is too large",
    flags: { "ingestion-body-limit-mb": "0.00001" },
    status: 413,
    text: "profile payload size exceeds limit of 10 B",
    reason: "body_size_limit_exceeded",
  },
  {
    what: "no tenant",
    flags: { "auth.multitenancy-enabled": "true" },
    status: 401,
    text: "no org id",
  },
  {
    what: "two tenants",
    flags: { "auth.multitenancy-enabled": "true" },
    headers: { "x-scope-orgid": "a|b" },
    status: 400,
    text: "multiple org IDs present",
  },
];

function requestOf({ attributes = {}, sampleCount = 1, timeUnixMillis = NOW_MS }: Situation): string {
  const pairs = Object.entries({ "service.name": "shop", ...attributes });
  const profile = {
    sampleType: { typeStrindex: 1, unitStrindex: 2 },
    periodType: { typeStrindex: 3, unitStrindex: 4 },
    period: "10",
    timeUnixNano: `${timeUnixMillis}000000`,
    samples: Array.from({ length: sampleCount }, (_, index) => ({ stackIndex: index, values: ["1"] })),
  };
  return JSON.stringify({
    resourceProfiles: [
      {
        resource: { attributes: pairs.map(([key, stringValue]) => ({ key, value: { stringValue } })) },
        scopeProfiles: [{ profiles: [profile] }],
      },
    ],
    dictionary: {
      stringTable: ["", "samples", "count", "cpu", "nanoseconds", "main", "work"],
      mappingTable: [{}],
      functionTable: [{ nameStrindex: 5 }, { nameStrindex: 6 }],
      locationTable: [{ lines: [{ functionIndex: 0 }] }, { lines: [{ functionIndex: 1 }] }],
      stackTable: [{ locationIndices: [0] }, { locationIndices: [1] }],
      linkTable: [{}],
      attributeTable: [{}],
    },
  });
}

async function send(situation: Situation) {
  const { flags = {}, headers = {}, contentType = "application/json", failure } = situation;
  const ingester = new Ingester({
    store: {
      append: async () => {
        if (failure !== undefined) throw failure;
      },
      hasSeries: () => false,
      seriesCount: () => 0,
    },
    log: (message, error) => {
      throw new Error(message, { cause: error });
    },
  });
  const { app } = await createTestApp({ flags, storage: { push: (batch) => ingester.push(batch) } });
  const response = await app.inject({
    method: "POST",
    url: "/v1development/profiles",
    headers: { "content-type": contentType, ...headers },
    payload: situation.body ?? requestOf(situation),
  });
  return { response, metrics: (await app.inject({ url: "/metrics" })).body };
}

describe("errors of OTLP over HTTP", () => {
  it.for(situations)("answers $what as its row says", async (situation) => {
    const { response, metrics } = await send(situation);

    expect(response.statusCode).toBe(situation.status);
    expect(response.body).toContain(situation.text);
    const isOwn = ![401, 503].includes(situation.status) && situation.what !== "two tenants";
    expect(response.headers["content-type"]).toMatch(
      isOwn ? /^text\/plain/ : /^(application\/json|text\/plain)/,
    );
    expect(response.headers["retry-after"] !== undefined).toBe([429, 503].includes(situation.status));
    const counted = [...metrics.matchAll(/^pyroscope_discarded_samples_total\{reason="(\w+)".*\} 1$/gm)];
    expect(counted.map(([, reason]) => reason)).toEqual(
      situation.reason === undefined ? [] : [situation.reason],
    );
  });

  it("takes the request that all of these differ from", async () => {
    const { response } = await send({ what: "", status: 200, text: "" });

    expect([response.statusCode, response.body]).toEqual([200, ""]);
    expect(response.headers["content-type"]).toBe("application/x-protobuf");
  });
});
