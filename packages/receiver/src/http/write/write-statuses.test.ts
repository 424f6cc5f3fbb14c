import { encodePprof, type ProfileHeader } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { describe, expect, it } from "vitest";
import { ReceiverError } from "../../errors.ts";
import { Ingester } from "../../ingest/ingester.ts";
import { createTestApp } from "../../testing/create-test-app.ts";

/** The clock of the test server. */
const NOW_MS = 1_700_000_000_000;

function pprof(header: Partial<ProfileHeader> = {}, drawing = "main  main\nidle"): Uint8Array {
  return encodePprof(profileFromText(drawing, { timeUnixNanos: BigInt(NOW_MS) * 1_000_000n, ...header }));
}

interface Situation {
  readonly what: string;
  readonly flags?: Readonly<Record<string, string>>;
  readonly payload?: Uint8Array;
  /** Of the series, beside `service_name`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the store does. */
  readonly failure?: ReceiverError;
  /** Pushes that are admitted before it, each as a service of its own. */
  readonly before?: number;
  readonly push: readonly [status: number, code: string];
  readonly ingest: readonly [status: number, code: string];
  /** Part of the text, the same on both. */
  readonly text: string;
  /** Reason that is counted; absent: the request never becomes a profile. */
  readonly reason?: string;
}

// Rows of the table of errors and codes; texts are Pyroscope's except where docs/wire-compatibility.md says otherwise.
const situations: readonly Situation[] = [
  {
    what: "a sample type with a dash",
    payload: pprof({ sampleTypes: [{ type: "in-use", unit: "count" }] }),
    push: [400, "invalid_argument"],
    ingest: [422, "unknown"],
    text: "sample type contains -",
    reason: "malformed_profile",
  },
  {
    what: "bytes that are no pprof",
    payload: Buffer.from("no pprof"),
    push: [400, "invalid_argument"],
    ingest: [422, "unknown"],
    text: "",
    reason: "malformed_profile",
  },
  {
    what: "a profile of yesterday",
    payload: pprof({ timeUnixNanos: BigInt(NOW_MS - 86_400_000) * 1_000_000n }),
    push: [400, "invalid_argument"],
    ingest: [422, "unknown"],
    text: "is outside of ingestion window (profile timestamp: 2023-11-13T22:13:20.000Z, the ingestion window starts at",
    reason: "not_in_ingestion_window",
  },
  {
    what: "too many samples",
    flags: { "max-profile-stacktrace-samples": "1" },
    push: [400, "invalid_argument"],
    ingest: [422, "unknown"],
    text: "exceeds the samples count limit (max_profile_stacktrace_samples, actual: 2, limit: 1)",
    reason: "samples_limit",
  },
  {
    what: "a label name that is too long",
    flags: { "max-label-name-length": "12" },
    labels: { a_long_label_name: "x" },
    push: [400, "invalid_argument"],
    ingest: [422, "unknown"],
    text: "a_long_label_name",
    reason: "label_name_too_long",
  },
  {
    what: "a label value that is too long",
    flags: { "max-label-value-length": "10" },
    labels: { pod: "far-too-long-a-value" },
    push: [400, "invalid_argument"],
    ingest: [422, "unknown"],
    text: "far-too-long-a-value",
    reason: "label_value_too_long",
  },
  {
    what: "too many labels",
    flags: { "max-label-names-per-series": "3" },
    labels: { a: "1", b: "2", c: "3" },
    push: [400, "invalid_argument"],
    ingest: [422, "unknown"],
    text: "limit",
    reason: "max_label_names_per_series",
  },
  {
    what: "a profile that is too large, unpacked",
    flags: { "max-profile-size-bytes": "10" },
    push: [400, "invalid_argument"],
    ingest: [422, "unknown"],
    text: "size exceeds",
    reason: "profile_size_limit",
  },
  {
    what: "a rate that is used up",
    flags: { "ingestion-rate-mb": "0.00001", "ingestion-burst-size-mb": "0", "max-profile-size-bytes": "0" },
    push: [429, "resource_exhausted"],
    ingest: [429, "resource_exhausted"],
    text: "push rate limit (10 B) exceeded while adding ",
    reason: "rate_limited",
  },
  {
    what: "a new service at the limit of series",
    flags: { "max-global-series-per-tenant": "1" },
    before: 1,
    push: [429, "resource_exhausted"],
    ingest: [429, "resource_exhausted"],
    text: "Maximum active series limit exceeded (2/1), reduce the number of active streams",
    reason: "series_limit",
  },
  {
    what: "a disk that takes no writes",
    failure: new ReceiverError("append: ENOSPC", { code: "STORAGE_UNAVAILABLE" }),
    push: [503, "unavailable"],
    ingest: [503, "unavailable"],
    text: "append: ENOSPC",
    reason: "storage_unavailable",
  },
  {
    what: "no tenant",
    flags: { "auth.multitenancy-enabled": "true" },
    push: [401, "unauthenticated"],
    ingest: [401, "unauthenticated"],
    text: "no org id",
  },
  {
    what: "two tenants",
    flags: { "auth.multitenancy-enabled": "true" },
    headers: { "x-scope-orgid": "a|b" },
    push: [400, "invalid_argument"],
    ingest: [400, "invalid_argument"],
    text: "multiple org IDs present",
  },
  {
    what: "a tenant with a character that is not allowed",
    flags: { "auth.multitenancy-enabled": "true" },
    headers: { "x-scope-orgid": "a/b" },
    push: [400, "invalid_argument"],
    ingest: [400, "invalid_argument"],
    text: "tenant ID 'a/b' contains unsupported character '/'",
  },
  {
    what: "a tenant that is too long",
    flags: { "auth.multitenancy-enabled": "true" },
    headers: { "x-scope-orgid": "a".repeat(151) },
    push: [400, "invalid_argument"],
    ingest: [400, "invalid_argument"],
    text: "tenant ID is too long: max 150 characters",
  },
  {
    what: "a body that is too large",
    flags: { "ingestion-body-limit-mb": "0.00001" },
    push: [429, "resource_exhausted"],
    ingest: [413, "invalid_argument"],
    text: "",
    reason: "body_size_limit_exceeded",
  },
];

async function createServer({ flags = {}, failure }: Situation) {
  const series = new Set<unknown>();
  const ingester = new Ingester({
    store: {
      append: async ({ profiles }) => {
        if (failure !== undefined) throw failure;
        for (const { labels } of profiles) series.add(JSON.stringify(labels));
      },
      hasSeries: () => false,
      seriesCount: () => series.size,
    },
    log: (message, error) => {
      throw new Error(message, { cause: error });
    },
  });
  const { app } = await createTestApp({ flags, storage: { push: (batch) => ingester.push(batch) } });
  return app;
}

type Server = Awaited<ReturnType<typeof createServer>>;

interface Profile {
  readonly service: string;
  readonly payload: Uint8Array;
  readonly labels: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

const senders = {
  push: (app: Server, { service, payload, labels, headers }: Profile) =>
    app.inject({
      method: "POST",
      url: "/push.v1.PusherService/Push",
      headers: { "content-type": "application/json", ...headers },
      payload: JSON.stringify({
        series: [
          {
            labels: Object.entries({ __name__: "cpu", service_name: service, ...labels }).map(
              ([name, value]) => ({
                name,
                value,
              }),
            ),
            samples: [{ rawProfile: Buffer.from(payload).toString("base64") }],
          },
        ],
      }),
    }),
  ingest: (app: Server, { service, payload, labels, headers }: Profile) => {
    const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    const name = encodeURIComponent(`${service}{${pairs.join(",")}}`);
    const url = `/ingest?format=pprof&from=${NOW_MS}&name=${name}`;
    return app.inject({ method: "POST", url, headers, payload: Buffer.from(payload) });
  },
};

describe.for(["push", "ingest"] as const)("errors of %s", (path) => {
  it.for(situations)("answers $what as its row says", async (situation) => {
    const app = await createServer(situation);
    const { payload = pprof(), labels = {}, headers = {}, before = 0 } = situation;
    for (let i = 0; i < before; i++) {
      const admitted = await senders[path](app, { service: `s${i}`, payload: pprof(), labels, headers });
      expect(admitted.statusCode).toBe(200);
    }

    const response = await senders[path](app, { service: "shop", payload, labels, headers });

    const [status, code] = situation[path];
    const body = response.json();
    expect([response.statusCode, body.code]).toEqual([status, code]);
    expect(body.message).toContain(situation.text);
    const mayRetry = status === 503 || situation.reason === "rate_limited";
    expect(response.headers["retry-after"] !== undefined).toBe(mayRetry);
    const metrics = (await app.inject({ url: "/metrics" })).body;
    const counted = [...metrics.matchAll(/^pyroscope_discarded_samples_total\{reason="(\w+)".*\} 1$/gm)];
    expect(counted.map(([, reason]) => reason)).toEqual(
      situation.reason === undefined ? [] : [situation.reason],
    );
    await app.close();
  });
});
