import { encodePprof } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routes } from "../packages/receiver/src/http/routes.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const OWNER = "team-a";
// In names of functions, services, labels and settings of the owner, and nowhere else.
const MARKER = "kept-secret";
const SERVICE = `${MARKER}-service`;
const TYPE = "process_cpu:samples:count::";
const SPAN_ID = "00f067aa0ba902b7";
const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";

let data: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess;
let adhocId: string;

const now = Date.now();
const range = { start: String(now - 3_600_000), end: String(now + 60_000) };
const selector = `{service_name="${SERVICE}"}`;

/** Messages with everything that methods of services ask for, and without anything. */
const messages = (): readonly object[] => [
  {},
  range,
  { ...range, name: "service_name", labelNames: ["service_name"] },
  { ...range, labelSelector: selector, profileTypeID: TYPE, profileType: TYPE, step: 15, query: selector },
  { ...range, labelSelector: "{}", profileTypeID: TYPE, step: 15, groupBy: ["service_name", "secret"] },
  { ...range, labelSelector: "{}", profileTypeID: TYPE, spanSelector: [SPAN_ID] },
  { id: adhocId, leftId: adhocId, rightId: adhocId },
  {
    left: { ...range, labelSelector: "{}", profileTypeID: TYPE },
    right: { ...range, labelSelector: "{}", profileTypeID: TYPE },
  },
];

/** Query strings for routes that take one. */
const queries: readonly string[] = [
  "",
  ...["json", "pprof", "collapsed", "dot", "speedscope", "tree"].map(
    (format) => `query=${encodeURIComponent(`${TYPE}${selector}`)}&from=now-1h&until=now&format=${format}`,
  ),
  `query=${encodeURIComponent(`${TYPE}{}`)}&from=now-1h&trace_id=${TRACE_ID}&groupBy=service_name`,
  `leftQuery=${encodeURIComponent(`${TYPE}{}`)}&rightQuery=${encodeURIComponent(`${TYPE}{}`)}&leftFrom=now-1h&leftUntil=now&rightFrom=now-1h&rightUntil=now`,
  "label=service_name&from=now-1h",
];

/** Routes whose POST is no question. */
const writes = new Set(
  routes.filter(({ policy }) => policy === "push" || policy === "admin").map(({ path }) => path),
);
const asked = routes.filter(
  ({ path, kind }) => !writes.has(path) && !/Delete$|Set$|Upload$/.test(path) && kind !== "asset",
);

/** Every answer to a tenant, by route: status, headers and body as one text. */
async function askAll(header: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>();
  for (const { path, method } of asked) {
    const url = `${receiver.address}${path.replace("*", "Get")}`;
    const requests =
      method === "GET"
        ? queries.map((query) => fetch(`${url}?${query}`, { headers: header }))
        : messages().map((message) =>
            fetch(url, {
              method,
              headers: { ...header, "content-type": "application/json" },
              body: JSON.stringify(message),
            }),
          );
    const texts = await Promise.all(
      requests.map(async (request) => {
        const response = await request;
        const body = Buffer.from(await response.arrayBuffer()).toString("latin1");
        return `${response.status} ${JSON.stringify([...response.headers])} ${body}`;
      }),
    );
    answers.set(path, texts.join("\n"));
  }
  return answers;
}

async function call(path: string, message: object): Promise<Record<string, string>> {
  const response = await fetch(`${receiver.address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-scope-orgid": OWNER },
    body: JSON.stringify(message),
  });
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as Record<string, string>;
}

beforeAll(async () => {
  data = await makeDataDirectory();
  const flags = ["--log-level", "error", "--auth.multitenancy-enabled"];
  receiver = await startReadyReceiver({ directory: data.path, flags });
  const timeUnixNanos = BigInt(now) * 1_000_000n;
  const pprof = encodePprof(
    profileFromText(`main\n${MARKER}`, {
      values: [7],
      timeUnixNanos,
      labels: [{ span_id: SPAN_ID, trace_id: TRACE_ID }],
    } as never),
  );
  const labels = Object.entries({ __name__: "process_cpu", service_name: SERVICE, secret: MARKER });
  const rawProfile = Buffer.from(pprof).toString("base64");
  await call("/push.v1.PusherService/Push", {
    series: [{ labels: labels.map(([name, value]) => ({ name, value })), samples: [{ rawProfile }] }],
  });
  await call("/settings.v1.SettingsService/Set", { setting: { name: MARKER, value: MARKER } });
  await call("/settings.v1.RecordingRulesService/UpsertRecordingRule", {
    metricName: "profiles_recorded_samples",
    matchers: [`{__profile_type__="${TYPE}"}`],
    groupBy: ["secret"],
    externalLabels: [{ name: "team", value: MARKER }],
  });
  // A deletion begins with a flush, which is when rules are evaluated.
  await call("/api/v1/applications/delete", { name: "nobody" });
  // Without the marker: the name is a part of the id, which those who ask repeat.
  const file = { name: "cpu.pb", profile: rawProfile };
  adhocId = (await call("/adhocprofiles.v1.AdHocProfileService/Upload", file)).id ?? "";
  // A refusal, for the doctor.
  await fetch(`${receiver.address}/ingest?name=${SERVICE}&format=pprof`, {
    method: "POST",
    headers: { "x-scope-orgid": OWNER },
    body: "no pprof",
  });
});

afterAll(async () => {
  await receiver?.stop();
  await data.remove();
});

describe("a tenant", () => {
  it("sees what is its own on every route that shows anything of tenants", async () => {
    const answers = await askAll({ "x-scope-orgid": OWNER });
    const shown = [...answers].filter(([, text]) => text.includes(MARKER)).map(([path]) => path);

    expect(shown).toEqual(
      expect.arrayContaining([
        "/render",
        "/render-diff",
        "/label-values",
        "/api/v1/doctor",
        "/querier.v1.QuerierService/SelectMergeStacktraces",
        "/querier.v1.QuerierService/SelectMergeProfile",
        "/querier.v1.QuerierService/SelectSeries",
        "/querier.v1.QuerierService/Series",
        "/querier.v1.QuerierService/LabelValues",
        "/querier.v1.QuerierService/Diff",
        "/settings.v1.SettingsService/Get",
        "/settings.v1.RecordingRulesService/ListRecordingRules",
        "/metrics",
        "/adhocprofiles.v1.AdHocProfileService/Get",
        "/adhocprofiles.v1.AdHocProfileService/Diff",
      ]),
    );
  });

  it.for([
    { "x-scope-orgid": "team-b" },
    { "x-scope-orgid": "Team-A" },
    { "x-scope-orgid": "team-a2" },
    { "x-scope-orgid": "team-b|team-c" },
    { "x-scope-orgid": "*" },
    { "x-scope-orgid": "team-%61" },
    { "x-scope-orgid": "team-b:team-a" },
    { "x-scope-orgid": "team-b, team-a" },
    { "x-scope-orgid": "team-b/../team-a" },
    { "x-scope-orgid": "team-b", "x-forwarded-user": "team-a", "x-original-url": "/render" },
    { "x-scope-orgid": "" },
    {},
  ])("%j sees nothing of another", async (header) => {
    const answers = await askAll(header as Readonly<Record<string, string>>);
    const leaking = [...answers].filter(([, text]) => text.includes(MARKER)).map(([path]) => path);

    // Answers repeat what was asked for: the marker may stand where a selector is quoted, never where data is.
    const withoutQuotes = leaking.filter((path) => {
      const text = answers.get(path) ?? "";
      return text
        .replaceAll(new RegExp(`${TYPE}\\{[^}]*\\}|\\{service_name=[^}]*\\}`, "g"), "")
        .includes(MARKER);
    });
    expect(withoutQuotes).toEqual([]);
  });
});
