import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../clock.ts";
import { parseProvisionedRules } from "../../rules/provisioned-rules.ts";
import { Recorder } from "../../rules/recorder.ts";
import { RuleFiles } from "../../rules/rule-files.ts";
import { nodeFs } from "../../store/node-fs.ts";
import { createTestApp, type TestApp, type TestOptions, TOKENS } from "../../testing/create-test-app.ts";
import { storageStatus } from "../../testing/storage-status.ts";

const TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const RULE = {
  metricName: "profiles_recorded_gc",
  matchers: [`{__profile_type__="${TYPE}", region="emea"}`],
  groupBy: ["service_name"],
  externalLabels: [{ name: "team", value: "x" }],
  stacktraceFilter: { functionName: { functionName: "gc" } },
};

const PROVISIONED = parseProvisionedRules([
  { id: "own", metric_name: "profiles_recorded_own", matchers: [`{__profile_type__="${TYPE}"}`] },
]);
/** Only tenants that a test names have rules of the configuration. */
const ofTenants = new Map(["a", "b", "anonymous"].map((tenant) => [tenant, []]));

let directory: string;
let server: TestApp;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-rules-"));
});

afterEach(async () => {
  await server.app.close();
  await rm(directory, { recursive: true });
});

async function start(options: TestOptions = {}): Promise<void> {
  const book = new RuleFiles({ fs: nodeFs, clock: systemClock, directory });
  const clock = systemClock;
  const rules = new Recorder({
    book,
    clock,
    provisioned: { ofAll: PROVISIONED, ofTenants },
    log: () => undefined,
  });
  server = await createTestApp({
    ...options,
    storage: {
      listRules: (query) => rules.listRules(query),
      upsertRule: (command) => rules.upsertRule(command),
      deleteRule: (command) => rules.deleteRule(command),
      ...options.storage,
    },
  });
}

async function call(method: string, message: object, headers: Readonly<Record<string, string>> = {}) {
  const response = await server.app.inject({
    method: "POST",
    url: `/settings.v1.RecordingRulesService/${method}`,
    headers: { "content-type": "application/json", "x-scope-orgid": "a", ...headers },
    payload: JSON.stringify(message),
  });
  return { status: response.statusCode, body: response.json() };
}

describe("settings.v1.RecordingRulesService", () => {
  it("gives back what was stored, with an id, a generation and its profile type, for each tenant apart", async () => {
    await start({ flags: { "auth.multitenancy-enabled": "true" } });

    const { body } = await call("UpsertRecordingRule", RULE);
    const { id } = body.rule;
    const { groupBy: _, ...narrowed } = RULE;
    const changed = await call("UpsertRecordingRule", { ...narrowed, id, generation: "1" });

    expect(body.rule).toEqual({
      ...RULE,
      id: expect.stringMatching(/^[a-zA-Z]{10}$/),
      generation: "1",
      profileType: TYPE,
    });
    expect(changed.body.rule).toEqual({ ...narrowed, id, generation: "2", profileType: TYPE });
    expect((await call("GetRecordingRule", { id: ` ${id} ` })).body).toEqual(changed.body);
    expect((await call("ListRecordingRules", {})).body).toEqual({ rules: [changed.body.rule] });
    const other = { "x-scope-orgid": "b" };
    expect((await call("ListRecordingRules", {}, other)).body).toEqual({});
    expect((await call("GetRecordingRule", { id }, other)).status).toBe(404);
    expect((await call("DeleteRecordingRule", { id }, other)).status).toBe(404);
    expect(await call("DeleteRecordingRule", { id })).toEqual({ status: 200, body: {} });
    expect((await call("ListRecordingRules", {})).body).toEqual({});
  });

  it("takes as many rules as the tenant may have", async () => {
    const one = { ingest: {}, query: {}, rules: { maxRuleCount: 1 }, retention: {} };
    const flags = { "auth.multitenancy-enabled": "true", "max-recording-rules": "2" };
    await start({ flags, overrides: new Map([["a", one]]) });
    const statuses: number[] = [];
    for (const tenant of ["a", "a", "b", "b", "b"]) {
      statuses.push((await call("UpsertRecordingRule", RULE, { "x-scope-orgid": tenant })).status);
    }

    expect(statuses).toEqual([200, 429, 200, 200, 429]);
  });

  it("shows rules of the configuration before those of the tenant, and lets nobody change them", async () => {
    await start({ flags: { "auth.multitenancy-enabled": "true" } });
    const tenant = { "x-scope-orgid": "c" };

    const { body } = await call("UpsertRecordingRule", { ...RULE, id: "mine" }, tenant);
    const listed = await call("ListRecordingRules", {}, tenant);

    const { id, metricName, matchers, generation } = PROVISIONED[0] ?? {};
    const own = {
      id,
      metricName,
      profileType: TYPE,
      matchers,
      generation: String(generation),
      provisioned: true,
    };
    expect(listed.body).toEqual({ rules: [own, body.rule] });
    expect((await call("GetRecordingRule", { id }, tenant)).body).toEqual({ rule: own });
    const message =
      "rule with id='own' stands in the configuration (recording_rules), and is changed and deleted there";
    const refused = { status: 400, body: { code: "invalid_argument", message } };
    expect(await call("UpsertRecordingRule", { ...RULE, id }, tenant)).toEqual(refused);
    expect(await call("DeleteRecordingRule", { id }, tenant)).toEqual(refused);
    expect((await call("ListRecordingRules", {}, tenant)).body).toEqual(listed.body);
  });

  it.for([
    [
      "UpsertRecordingRule",
      { ...RULE, metricName: "gc" },
      400,
      'invalid request: metric_name "gc" is invalid',
    ],
    ["UpsertRecordingRule", { ...RULE, id: "unknown", generation: "1" }, 200, ""],
    [
      "UpsertRecordingRule",
      { ...RULE, stacktraceFilter: { functionName: { functionName: "gc", metricType: 7 } } },
      400,
      "metric_type 7: there is only 0, TOTAL",
    ],
    ["GetRecordingRule", {}, 400, "id is required"],
    ["GetRecordingRule", { id: "x" }, 404, "no rule with id='x' found"],
    ["DeleteRecordingRule", { id: " " }, 400, "id is required"],
    ["DeleteRecordingRule", { id: "x" }, 404, "no rule with id='x' found"],
  ] as const)("answers %s of %j with %i", async ([method, message, status, text]) => {
    await start();

    const answer = await call(method, message);

    expect(answer.status).toBe(status);
    expect(String(answer.body.message ?? "")).toContain(text);
  });
});

describe("GET /metrics with recording rules", () => {
  const series = {
    ...{ tenant: "a", ruleId: "abc", metricName: "profiles_recorded_x", value: 2n ** 70n, profiles: 3n },
    labels: [
      { name: "tenant", value: 'quo"te\\d\n' },
      { name: "pod", value: "1" },
    ],
  };
  const labels = '{tenant="a",profiles_rule_id="abc",exported_tenant="quo\\"te\\\\d\\n",pod="1"}';
  const readiness = { storage: storageStatus() };

  async function scrape(flags: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>>) {
    await start({
      ...{ flags, readiness },
      storage: {
        recorded: async ({ tenants }) => ({
          series: tenants.flatMap((tenant) =>
            [series, { ...series, ruleId: "b" }].map((one) => ({ ...one, tenant })),
          ),
          failureCount: 5,
        }),
      },
    });
    const { body } = await server.app.inject({ url: "/metrics", headers });
    return body.split("\n").filter((line) => /^(# \w+ )?(pyroscope_recording|profiles_recorded)_/.test(line));
  }

  it("shows a counter of each rule's name and how many profiles it has", async () => {
    const lines = await scrape({ "auth.multitenancy-enabled": "true" }, { "x-scope-orgid": "a" });

    expect(lines).toEqual([
      expect.stringMatching(/^# HELP pyroscope_recording_rule_failures /),
      "# TYPE pyroscope_recording_rule_failures gauge",
      "pyroscope_recording_rule_failures 5",
      "# HELP profiles_recorded_x Sum of the values of profiles, by recording rules of this metric name.",
      "# TYPE profiles_recorded_x counter",
      `profiles_recorded_x${labels} 1180591620717411303424`,
      `profiles_recorded_x${labels.replace("abc", "b")} 1180591620717411303424`,
      "# HELP pyroscope_recording_rule_profiles_total Profiles that went into each series of a recording rule.",
      "# TYPE pyroscope_recording_rule_profiles_total counter",
      `pyroscope_recording_rule_profiles_total${labels} 3`,
      `pyroscope_recording_rule_profiles_total${labels.replace("abc", "b")} 3`,
    ]);
  });

  it.for([
    ["the one tenant", {}, {}, true],
    ["no tenant that is not named", { "auth.multitenancy-enabled": "true" }, {}, false],
    ["nothing to who may not read", { "auth-token": TOKENS }, { authorization: "Bearer push-token" }, false],
    ["who may read", { "auth-token": TOKENS }, { authorization: "Bearer read-token" }, true],
  ] as const)("shows %s", async ([, flags, headers, isShown]) => {
    const lines = await scrape(flags, headers);

    expect(lines.some((line) => line.startsWith("profiles_recorded_x{"))).toBe(isShown);
  });
});
