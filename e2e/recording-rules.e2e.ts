import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { pushRequestBytes, stacksPprof } from "./harness/push-bytes.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const METRIC = "profiles_recorded_cpu_nanoseconds";

let data: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess | undefined;

beforeEach(async () => {
  data = await makeDataDirectory();
});

afterEach(async () => {
  await receiver?.stop("SIGKILL");
  await data.remove();
});

/** A receiver with a file of overrides that it follows. */
async function start(): Promise<void> {
  const overrides = ["--runtime-config.file", overridesPath(), "--runtime-config.reload-period", "50ms"];
  const flags = ["--log-level", "error", ...overrides];
  receiver = await startReadyReceiver({ directory: join(data.path, "data"), flags });
}

const overridesPath = () => join(data.path, "overrides.yaml");

/** Recording rules of the configuration. JSON is YAML. */
const provision = (...recordingRules: readonly object[]) =>
  writeFile(
    overridesPath(),
    JSON.stringify({ overrides: { anonymous: { recording_rules: recordingRules } } }),
  );

async function call(path: string, body: object) {
  const response = await fetch(`${receiver?.address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

/** What of answers the test looks at. */
interface Answer {
  readonly rules?: readonly { readonly id: string; readonly provisioned?: boolean }[];
  readonly featureFlags?: readonly object[];
}

const rules = (method: string, message: object) =>
  call(`/settings.v1.RecordingRulesService/${method}`, message);

/** Pushes a profile of `hot` and `cold`, by an encoder that is not ours. */
async function push(service: string, index: number, hot: number, cold: number): Promise<void> {
  const pprof = stacksPprof({
    types: [["cpu", "nanoseconds"]],
    periodType: ["cpu", "nanoseconds"],
    timeUnixNanos: BigInt(Date.now()) * 1_000_000n + BigInt(index),
    stacks: { "main;hot;inner": [hot], "main;cold": [cold] },
  });
  const labels = { __name__: "process_cpu", service_name: service, pod: `pod-${index % 3}` };
  const response = await fetch(`${receiver?.address}/push.v1.PusherService/Push`, {
    method: "POST",
    headers: { "content-type": "application/proto" },
    body: pushRequestBytes([{ labels, pprof }]),
  });
  expect(response.status).toBe(200);
}

/** Lines of the rules' metrics, without the rule's id. */
async function scrape(): Promise<readonly string[]> {
  const text = await (await fetch(`${receiver?.address}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => /^(?:profiles_recorded_|pyroscope_recording_rule_profiles)/.test(line))
    .map((line) => line.replace(/,?profiles_rule_id="[a-zA-Z]+"/, ""))
    .sort();
}

async function isOverridesLoaded(): Promise<boolean> {
  const text = await (await fetch(`${receiver?.address}/metrics`)).text();
  return text.includes("pyroscope_runtime_config_last_reload_successful 1\n");
}

/** A deletion begins with a flush: of something that is not there, it is nothing else. */
const flush = () => call("/api/v1/applications/delete", { name: "nobody" });

it("makes counters of what was pushed, equal to the ledger, over a restart and a kill", {
  timeout: 240_000,
}, async () => {
  const matchers = [`{__profile_type__="${TYPE}", service_name=~"shop|cart"}`];
  await provision({ metric_name: `${METRIC}_own`, matchers, group_by: ["service_name"] });
  await start();
  const all = await rules("UpsertRecordingRule", { metricName: METRIC, matchers, groupBy: ["service_name"] });
  const hot = await rules("UpsertRecordingRule", {
    ...{ metricName: `${METRIC}_hot`, matchers, externalLabels: [{ name: "team", value: "x" }] },
    stacktraceFilter: { functionName: { functionName: "hot" } },
  });
  expect([all.status, hot.status]).toEqual([200, 200]);
  const refused = await rules("UpsertRecordingRule", { metricName: "cpu", matchers });
  expect(refused).toMatchObject({
    status: 400,
    body: {
      code: "invalid_argument",
      message:
        'invalid request: metric_name "cpu" is invalid: metric name must start with profiles_recorded_',
    },
  });
  const flags = await call("/capabilities.v1.FeatureFlagsService/GetFeatureFlags", {});
  expect(flags.body.featureFlags).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: "PyroscopeRuler", enabled: true })]),
  );

  const ledger = new Map<string, { hot: number; all: number; profiles: number }>();
  const pushAll = async (round: number): Promise<void> => {
    for (let index = 0; index < 12; index++) {
      const service = ["shop", "cart", "other"][index % 3] ?? "";
      const [inHot, inCold] = [1000 * round + index, 7 * index + 1];
      await push(service, 12 * round + index, inHot, inCold);
      const sums = ledger.get(service) ?? { hot: 0, all: 0, profiles: 0 };
      ledger.set(service, {
        hot: sums.hot + inHot,
        all: sums.all + inHot + inCold,
        profiles: sums.profiles + 1,
      });
    }
  };
  const expected = (): readonly string[] => {
    const none = { hot: 0, all: 0, profiles: 0 };
    const [shop, cart] = [ledger.get("shop") ?? none, ledger.get("cart") ?? none];
    const perService = [
      { service: "shop", sums: shop },
      { service: "cart", sums: cart },
    ].flatMap(({ service, sums }) => [
      ...[METRIC, `${METRIC}_own`].flatMap((metric) => [
        `${metric}{tenant="anonymous",service_name="${service}"} ${sums.all}`,
        `pyroscope_recording_rule_profiles_total{tenant="anonymous",service_name="${service}"} ${sums.profiles}`,
      ]),
    ]);
    return [
      ...perService,
      `${METRIC}_hot{tenant="anonymous",team="x"} ${shop.hot + cart.hot}`,
      `pyroscope_recording_rule_profiles_total{tenant="anonymous",team="x"} ${shop.profiles + cart.profiles}`,
    ].sort();
  };

  await pushAll(1);
  expect(await scrape()).toEqual([]);
  expect((await flush()).status).toBe(200);
  await vi.waitFor(async () => expect(await scrape()).toEqual(expected()), { timeout: 60_000 });

  // What a stop flushes is in the counters of the next process.
  await pushAll(2);
  await receiver?.stop();
  await start();
  await vi.waitFor(async () => expect(await scrape()).toEqual(expected()), { timeout: 60_000 });

  // What only the log has when a process is killed is counted when it becomes a block.
  await pushAll(3);
  await receiver?.stop("SIGKILL");
  await start();
  expect((await flush()).status).toBe(200);
  await vi.waitFor(async () => expect(await scrape()).toEqual(expected()), { timeout: 60_000 });

  const { body } = await rules("ListRecordingRules", {});
  const [own, ...stored] = body.rules ?? [];
  expect([own?.provisioned, stored.length]).toEqual([true, 2]);
  expect((await rules("DeleteRecordingRule", { id: own?.id })).status).toBe(400);
  for (const { id } of stored) {
    expect((await rules("DeleteRecordingRule", { id })).status).toBe(200);
  }
  expect((await scrape()).filter((line) => line.startsWith(METRIC))).toEqual(
    expected().filter((line) => line.startsWith(`${METRIC}_own`)),
  );

  // The file is followed: what cannot be used changes nothing, what is gone counts no longer.
  await provision({ metric_name: "cpu", matchers });
  await vi.waitFor(async () => expect(await isOverridesLoaded()).toBe(false), { timeout: 60_000 });
  expect((await rules("ListRecordingRules", {})).body.rules).toEqual([own]);
  await provision();
  await vi.waitFor(async () => expect(await scrape()).toEqual([]), { timeout: 60_000 });
  expect((await rules("ListRecordingRules", {})).body).toEqual({});
});
