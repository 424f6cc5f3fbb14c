import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { nodeFs } from "../store/node-fs.ts";
import type { Store } from "../store/store.ts";
import { PLAIN_TYPE, type PlainProfile, plainAdmission } from "../store/testing/plain-profile.ts";
import { foldStacks, StoreDirectory, sumAll } from "../store/testing/store-directory.ts";
import { parseProvisionedRules } from "./provisioned-rules.ts";
import { Recorder, type RecorderOptions } from "./recorder.ts";
import type { RuleRequest } from "./recording-rule.ts";
import { RuleFiles } from "./rule-files.ts";

const METRIC = "profiles_recorded_cpu";
const T0 = 1_760_000_000_000;

let directory: StoreDirectory;
let lines: string[];

beforeEach(async () => {
  directory = await StoreDirectory.create();
  lines = [];
});
afterEach(() => directory.remove());

function createRecorder(options: Partial<RecorderOptions> = {}): Recorder {
  const book = new RuleFiles({ fs: nodeFs, clock: systemClock, directory: join(directory.path, "rules") });
  const totals = { fs: nodeFs, directory: join(directory.path, "recorded") };
  return new Recorder({ book, clock: systemClock, totals, log: (line) => lines.push(line), ...options });
}

function rule(changes: Partial<RuleRequest> = {}): RuleRequest {
  return {
    ...{ id: "", metricName: METRIC, matchers: [`{__profile_type__="${PLAIN_TYPE}"}`] },
    ...{ groupBy: ["service_name"], externalLabels: [], functionName: "", generation: 0 },
    ...changes,
  };
}

function profile(service: string, value: number, changes: Partial<PlainProfile> = {}): PlainProfile {
  const samples = [
    { stack: ["main", "handle", "main"], value },
    { stack: ["idle"], value: 1000 },
  ];
  return { service, timeUnixMillis: T0, samples, ...changes };
}

const push = (store: Store, ...profiles: readonly PlainProfile[]) =>
  store.append(plainAdmission("a", profiles));

const upsert = (recorder: Recorder, request: RuleRequest = rule()) =>
  recorder.upsertRule({ tenant: "a", rule: request, maxRuleCount: 0 });

/** What a tenant's series show: labels as `name=value`, value, profiles. */
async function show(recorder: Recorder, tenant = "a"): Promise<readonly string[]> {
  const { series } = await recorder.recorded({ tenants: [tenant] });
  return series
    .map(({ labels, value, profiles }) =>
      [...labels.map((label) => `${label.name}=${label.value}`), value, profiles].join(" "),
    )
    .sort();
}

describe("Recorder", () => {
  it("adds up what becomes a block, once, by the labels of the rule", async () => {
    const recorder = createRecorder();
    const store = await directory.open({ observer: recorder });
    await upsert(recorder, rule({ externalLabels: [{ name: "team", value: "x" }] }));
    await push(store, profile("shop", 1), profile("shop", 2, { labels: { pod: "1" } }), profile("cart", 4));

    expect(await show(recorder)).toEqual([]);
    await store.flush();
    const first = await show(recorder);
    await push(store, profile("shop", 1), profile("shop", 8));
    await store.flush();

    expect(first).toEqual(["team=x service_name=cart 1004 1", "team=x service_name=shop 2003 2"]);
    expect(await show(recorder)).toEqual([
      "team=x service_name=cart 1004 1",
      "team=x service_name=shop 3011 3",
    ]);
    expect(await show(recorder, "b")).toEqual([]);
  });

  it("takes what matches all selectors, and of it what was spent below a function", async () => {
    const recorder = createRecorder();
    const store = await directory.open({ observer: recorder });
    const matchers = [`{__profile_type__="${PLAIN_TYPE}", service_name="shop"}`, '{pod=~"1|2"}'];
    await upsert(recorder, rule({ matchers, groupBy: ["pod"], functionName: "main" }));
    await upsert(recorder, rule({ matchers, groupBy: [], functionName: "nowhere" }));
    await push(
      store,
      ...["1", "2", "3"].map((pod) => profile("shop", Number(pod), { labels: { pod } })),
      profile("cart", 7, { labels: { pod: "1" } }),
    );

    await store.flush();

    expect(await show(recorder)).toEqual(["0 2", "pod=1 1 1", "pod=2 2 1"]);
  });

  it("has its sums after a restart, and counts on", async () => {
    const recorder = createRecorder();
    const store = await directory.open({ observer: recorder });
    const { id } = await upsert(recorder);
    await push(store, profile("shop", 1));
    await store.close();

    const next = createRecorder();
    const reopened = await directory.open({ observer: next });
    expect(await show(next)).toEqual(["service_name=shop 1001 1"]);
    await push(reopened, profile("shop", 2));
    await reopened.flush();

    expect(await show(next)).toEqual(["service_name=shop 2003 2"]);
    expect((await next.listRules({ tenant: "a" })).map((one) => one.id)).toEqual([id]);
  });

  it("counts a block whose process ended before it was counted, once, and none that is older than the rule", async () => {
    let now = T0;
    const clock = { ...systemClock, nowUnixMillis: () => now++ };
    const book = new RuleFiles({ fs: nodeFs, clock, directory: join(directory.path, "rules") });
    const early = await directory.open({ clock });
    await push(early, profile("old", 1));
    await early.close();
    await upsert(createRecorder({ book }));
    const unobserved = await directory.open({ clock });
    await push(unobserved, profile("shop", 2));
    await unobserved.close();

    const recorder = createRecorder();
    const store = await directory.open({ observer: recorder });
    const found = await show(recorder);
    await store.close();
    const again = createRecorder();
    await directory.open({ observer: again });

    expect(found).toEqual(["service_name=shop 1002 1"]);
    expect(await show(again)).toEqual(found);
  });

  it("begins anew when a rule changes, and forgets one that is removed", async () => {
    const recorder = createRecorder();
    const store = await directory.open({ observer: recorder });
    const { id, generation } = await upsert(recorder);
    await push(store, profile("shop", 1));
    await store.flush();

    const changed = await upsert(recorder, rule({ id, generation, groupBy: [] }));
    expect([changed.generation, await show(recorder)]).toEqual([2, []]);
    await expect(upsert(recorder, rule({ id, generation }))).rejects.toMatchObject({
      code: "CONFLICT",
      message: `conflicting update, please try again: rule ${id} of generation 1, stored is 2`,
    });
    await push(store, profile("shop", 2));
    await store.flush();
    expect(await show(recorder)).toEqual(["1002 1"]);

    await recorder.deleteRule({ tenant: "a", id });
    expect([await show(recorder), await recorder.listRules({ tenant: "a" })]).toEqual([[], []]);
    await expect(recorder.deleteRule({ tenant: "a", id })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: `no rule with id='${id}' found`,
    });
  });

  it("begins anew with a rule that is made again under the id of one that was removed", async () => {
    const recorder = createRecorder();
    const store = await directory.open({ observer: recorder });
    await upsert(recorder, rule({ id: "mine" }));
    await push(store, profile("shop", 1));
    await store.flush();

    await recorder.deleteRule({ tenant: "a", id: "mine" });
    await upsert(recorder, rule({ id: "mine", groupBy: ["pod"] }));
    await push(store, profile("shop", 2, { labels: { pod: "1" } }));
    await store.flush();

    expect(await show(recorder)).toEqual(["pod=1 1002 1"]);
  });

  it("counts rules of the configuration: over restarts, anew when they change, and no longer when they are gone", async () => {
    const provisioned = (groupBy: string) => ({
      ofAll: parseProvisionedRules([
        { metric_name: METRIC, matchers: [`{__profile_type__="${PLAIN_TYPE}"}`], group_by: [groupBy] },
      ]),
      ofTenants: new Map([["b", []]]),
    });
    const early = await directory.open();
    await push(early, profile("old", 1));
    await early.close();
    const first = createRecorder({ provisioned: provisioned("service_name") });
    const store = await directory.open({ observer: first });
    await push(store, profile("shop", 1));
    await store.append(plainAdmission("b", [profile("shop", 1)]));
    await store.close();
    // What became a block while nobody counted, of a rule that has counted before.
    const unobserved = await directory.open();
    await push(unobserved, profile("shop", 2));
    await unobserved.close();

    const next = createRecorder({ provisioned: provisioned("service_name") });
    const reopened = await directory.open({ observer: next });
    expect([await show(next), await show(next, "b")]).toEqual([["service_name=shop 2003 2"], []]);

    await next.provisionRules(provisioned("pod"));
    expect(await show(next)).toEqual([]);
    await push(reopened, profile("shop", 4, { labels: { pod: "1" } }));
    await reopened.flush();
    expect(await show(next)).toEqual(["pod=1 1004 1"]);
    await next.provisionRules({ ofAll: [], ofTenants: new Map() });
    expect(await show(next)).toEqual([]);
    // Nor is it counted afterwards what came while it was gone.
    await push(reopened, profile("shop", 8, { labels: { pod: "1" } }));
    await reopened.close();
    const last = createRecorder({ provisioned: provisioned("pod") });
    await directory.open({ observer: last });
    expect(await show(last)).toEqual([]);
  });

  it("forgets what a rule has counted that is gone from the configuration at a start", async () => {
    const provisioned = {
      ofAll: parseProvisionedRules([{ metric_name: METRIC, matchers: rule().matchers }]),
      ofTenants: new Map(),
    };
    let round = 0;
    for (const [options, expected] of [
      [{ provisioned }, ["1001 1"]],
      [{}, []],
      [{ provisioned }, ["1001 1"]],
    ] as const) {
      const recorder = createRecorder(options);
      const store = await directory.open({ observer: recorder });
      await push(store, profile("shop", 1, { identity: `${round++}` }));
      await store.flush();
      expect(await show(recorder)).toEqual(expected);
      await store.close();
    }
  });

  it("lets a rule of the configuration take the place of the stored one of its id, for as long as it is there", async () => {
    const recorder = createRecorder();
    const { id } = await upsert(recorder, rule({ id: "mine" }));
    const metric = async () =>
      (await recorder.listRules({ tenant: "a" })).map(({ metricName }) => metricName);
    const [own] = parseProvisionedRules([{ id, metric_name: `${METRIC}_own`, matchers: rule().matchers }]);

    await recorder.provisionRules({ ofAll: [], ofTenants: new Map([["a", own === undefined ? [] : [own]]]) });
    expect(await metric()).toEqual([`${METRIC}_own`]);
    await recorder.provisionRules({ ofAll: [], ofTenants: new Map() });
    expect(await metric()).toEqual([METRIC]);
  });

  it("counts series above its limits together, so that sums stay whole", async () => {
    const limits = { maxRuleSeries: 2, maxSeries: 3 };
    const recorder = createRecorder({ limits });
    const store = await directory.open({ observer: recorder });
    await upsert(recorder);
    await push(store, ...["a", "b", "c", "d"].map((service) => profile(service, 1)));

    await store.flush();
    await push(store, profile("e", 1));
    await store.flush();

    const shown = await show(recorder);
    expect(shown).toHaveLength(3);
    expect(shown).toContain("service_name=__overflow__ 3003 3");
    // A rule whose sums are in no series any more says so.
    for (const metricName of ["x", "y", "z", "v"].map((letter) => `${METRIC}_${letter}`)) {
      await upsert(recorder, rule({ metricName, groupBy: [] }));
    }
    await push(store, profile("f", 1));
    await store.flush();
    expect((await recorder.recorded({ tenants: ["a"] })).failureCount).toBe(1);
    expect(lines.join()).toMatch(/recording rule \w+: 6 series of recording rules, limit 6/);
  });

  it("leaves profiles out that somebody has counted", async () => {
    const book = new RuleFiles({ fs: nodeFs, clock: systemClock, directory: join(directory.path, "rules") });
    const claimed: string[] = [];
    const claim = async (_tenant: string, profiles: readonly string[]) => {
      claimed.push(...profiles);
      return profiles.slice(0, 1);
    };
    const recorder = createRecorder({
      book: {
        list: (tenants) => book.list(tenants),
        upsert: (tenant, request, max) => book.upsert(tenant, request, max),
        remove: (tenant, id) => book.remove(tenant, id),
        claim,
      },
    });
    const store = await directory.open({ observer: recorder });
    await upsert(recorder, rule({ groupBy: [], functionName: "idle" }));
    await push(store, profile("shop", 1), profile("cart", 1));

    await store.flush();

    expect(claimed).toHaveLength(2);
    expect(await show(recorder)).toEqual(["1000 1"]);
  });

  it("fails no flush: what cannot be evaluated is counted", async () => {
    const recorder = createRecorder();
    const store = await directory.open({ observer: recorder });
    await nodeFs.makeDirectory(join(directory.path, "rules"));
    await nodeFs.writeFile(join(directory.path, "rules", "a.json"), Buffer.from("{}"));
    await push(store, profile("shop", 1));

    await store.flush();

    expect(store.status()).toMatchObject({ blockCount: 1, headProfileCount: 0 });
    expect((await recorder.recorded({ tenants: ["a"] })).failureCount).toBe(1);
    expect(lines.join()).toContain("not a file of recording rules in format 1");
  });

  it.for([
    [{ metricName: "cpu" }, "metric name must start with profiles_recorded_"],
    [{ metricName: "profiles_recorded_a-b" }, "invalid metric name: profiles_recorded_a-b"],
    [{ metricName: "" }, "metric_name is required"],
    [{ matchers: [] }, "no __profile_type__ matcher present"],
    [{ matchers: ['{__profile_type__=~"cpu"}'] }, "__profile_type__ matcher is not an equality"],
    [{ matchers: ["{"] }, "matchers: "],
    [{ groupBy: ["service.name"] }, 'group_by label "service.name" must match ^[a-zA-Z_][a-zA-Z0-9_]*$'],
    [{ groupBy: ["__type__"] }, 'group_by label "__type__": Prometheus keeps names with __ to itself'],
    [{ groupBy: Array(21).fill("a") }, "21 group_by labels, limit 20"],
    [{ externalLabels: [{ name: "a-b", value: "" }] }, 'external_labels name "a-b" must match'],
    [{ externalLabels: [{ name: "a", value: "x".repeat(2049) }] }, '"a": 2049 bytes, limit 2048'],
    [{ functionName: "x".repeat(2049) }, "function_name: 2049 bytes, limit 2048"],
    [{ id: "a1" }, 'id "a1" must match ^[a-zA-Z]+$'],
    [{ generation: -1 }, "generation -1 must be positive"],
  ] as const)("refuses %j", async ([changes, text]) => {
    const upserted = upsert(createRecorder(), rule(changes as Partial<RuleRequest>));

    await expect(upserted).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(upserted).rejects.toThrow(text);
  });

  it("counts what is left, once, while applications and rules are deleted and blocks are merged", async () => {
    const recorder = createRecorder();
    const store = await directory.open({ observer: recorder });
    await upsert(recorder, rule({ matchers: [`{__profile_type__="${PLAIN_TYPE}", service_name="cart"}`] }));
    const rounds = 4;
    const perRound = 5;

    for (let round = 0; round < rounds; round++) {
      const { id } = await upsert(recorder);
      const times = Array.from({ length: perRound }, (_, i) => T0 + round * perRound + i);
      await Promise.all([
        ...times.flatMap((timeUnixMillis) => [
          push(store, profile("cart", 1, { timeUnixMillis })),
          push(store, profile("shop", 1, { timeUnixMillis })),
        ]),
        store.flush(),
        store.deleteApplication({ tenant: "a", service: "shop" }),
        recorder.deleteRule({ tenant: "a", id }),
        store.compact(),
        store.deleteApplication({ tenant: "a", service: "never-seen" }),
      ]);
    }
    await store.flush();
    await store.deleteApplication({ tenant: "a", service: "shop" });
    await store.compact();

    const count = rounds * perRound;
    expect(await show(recorder)).toEqual([`service_name=cart ${count * 1001} ${count}`]);
    expect((await recorder.recorded({ tenants: ["a"] })).failureCount).toBe(0);
    expect(lines).toEqual([]);
    expect(await sumAll(store, "a")).toMatchObject({ profiles: BigInt(count) });
    expect(await foldStacks(store, "a")).toEqual([`idle ${count * 1000}`, `main;handle;main ${count}`]);
  });

  it("takes as many rules as a tenant may have, and no more", async () => {
    const recorder = createRecorder();
    const one = { tenant: "a", rule: rule(), maxRuleCount: 1 };
    const { id, generation } = await recorder.upsertRule(one);

    await recorder.upsertRule({ ...one, rule: rule({ id, generation }) });
    await recorder.upsertRule({ ...one, tenant: "b" });

    await expect(recorder.upsertRule(one)).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: `adding recording rule "${METRIC}": 1 rules, limit 1 (max_recording_rules)`,
    });
  });
});
