import { describe, expect, it } from "vitest";
import { parseProvisionedRules } from "./provisioned-rules.ts";

const RULE = {
  metric_name: "profiles_recorded_gc",
  matchers: ['{__profile_type__="a:b:c:d:e", env="prod"}'],
  group_by: ["service_name"],
  external_labels: [{ name: "team", value: "x" }],
  stacktrace_filter: { function_name: { function_name: "gc", metric_type: 0 } },
};

describe("parseProvisionedRules", () => {
  it("reads rules as Pyroscope's configuration has them, each with an id of its own", () => {
    const rules = parseProvisionedRules([
      { ...RULE, profile_type: "a:b:c:d:e", provisioned: true },
      { id: "mine", metric_name: RULE.metric_name, matchers: RULE.matchers, generation: 3 },
    ]);

    const common = { metricName: RULE.metric_name, matchers: RULE.matchers, generation: expect.any(Number) };
    expect(rules).toEqual([
      {
        ...{ ...common, id: expect.stringMatching(/^[a-zA-Z]{10}$/), groupBy: ["service_name"] },
        ...{ externalLabels: RULE.external_labels, functionName: "gc" },
      },
      { ...common, id: "mine", groupBy: [], externalLabels: [], functionName: "" },
    ]);
  });

  it("knows a rule again, and one that has changed as another", () => {
    const read = (rule: object) => parseProvisionedRules([rule])[0];
    const named = { ...RULE, id: "mine" };

    expect(read({ ...RULE })).toEqual(read(RULE));
    expect(read({ ...RULE, group_by: [] })?.id).not.toBe(read(RULE)?.id);
    expect(read({ ...named, group_by: [] })?.generation).not.toBe(read(named)?.generation);
    expect(read({ ...named, generation: 2 })?.generation).not.toBe(read(named)?.generation);
  });

  it.for([
    ["a rule", 'expected a list of rules, got "a rule"'],
    [[RULE, "x"], 'rule 1: expected names with values, got "x"'],
    [[{ ...RULE, metric: "x" }], "rule 0: metric: there is no such field"],
    [[{ ...RULE, metric_name: 5 }], "rule 0: metric_name=5: expected a text"],
    [[{ ...RULE, metric_name: "" }], "rule 0: metric_name is required"],
    [[{ ...RULE, metric_name: "gc" }], "metric name must start with profiles_recorded_"],
    [[{ ...RULE, metric_name: "a-b" }], "invalid metric name: a-b"],
    [[{ ...RULE, matchers: RULE.matchers[0] }], "expected a list of texts"],
    [[{ ...RULE, matchers: ['{a="b"}'] }], "no __profile_type__ matcher present"],
    [[{ ...RULE, matchers: ["{"] }], "rule 0: matchers: "],
    [[{ ...RULE, matchers: ['{__profile_type__=~"a"}'] }], "__profile_type__ matcher is not an equality"],
    [[{ ...RULE, profile_type: "x" }], 'profile_type "x": the matchers select "a:b:c:d:e"'],
    [[{ ...RULE, external_labels: { a: "b" } }], "expected a list"],
    [[{ ...RULE, external_labels: [{ name: "a", text: "b" }] }], "text: there is no such field"],
    [[{ ...RULE, stacktrace_filter: { function: "gc" } }], "function: there is no such field"],
    [
      [{ ...RULE, stacktrace_filter: { function_name: { function_name: "gc", metric_type: 7 } } }],
      "metric_type 7: there is only 0, TOTAL",
    ],
    [[{ ...RULE, generation: -1 }], "generation -1 must be positive"],
    [[{ ...RULE, generation: "1" }], 'generation="1": expected a number'],
    [[{ ...RULE, id: "a1" }], 'id "a1" must match'],
    [[RULE, RULE], /^rule 1: id [a-zA-Z]{10} stands twice$/],
  ] as const)("refuses %j", ([list, message]) => {
    expect(() => parseProvisionedRules(list)).toThrow(message);
  });
});
