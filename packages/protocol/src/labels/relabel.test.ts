import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { formatLabels, labelSetFromRecord } from "./label-set.ts";
import { compileRelabelRules, type Md5, parseRelabelRules } from "./relabel.ts";

const md5: Md5 = (text) => createHash("md5").update(text).digest();

const labels = { env: "prod", pod: "web-1", url: "/a?id=7" };

/** Labels after the rules, as they are printed; "dropped". */
function relabel(...rules: readonly object[]): string {
  const result = compileRelabelRules(parseRelabelRules(rules), md5)(labelSetFromRecord(labels));
  return result === undefined ? "dropped" : formatLabels(result);
}

const all = '{env="prod", pod="web-1", url="/a?id=7"}';

describe("relabeling rules", () => {
  it.for([
    ["nothing without rules", [], all],
    [
      "replace adds",
      [{ target_label: "by", replacement: "us" }],
      '{by="us", env="prod", pod="web-1", url="/a?id=7"}',
    ],
    [
      "replace with groups",
      [{ source_labels: ["url"], regex: "([^?]*)\\?.*", target_label: "url", replacement: `\${1}` }],
      '{env="prod", pod="web-1", url="/a"}',
    ],
    [
      "replace with a name of its groups, and a dollar",
      [
        {
          source_labels: ["env"],
          regex: "(?P<first>.).*",
          target_label: `\${first}`,
          replacement: "$$$first",
        },
      ],
      '{env="prod", p="$p", pod="web-1", url="/a?id=7"}',
    ],
    [
      "replace of several sources",
      [{ source_labels: ["env", "pod", "none"], separator: "/", target_label: "all" }],
      '{all="prod/web-1/", env="prod", pod="web-1", url="/a?id=7"}',
    ],
    [
      "replace without a match changes nothing",
      [{ source_labels: ["env"], regex: "pro", target_label: "env", replacement: "x" }],
      all,
    ],
    ["replace with nothing removes", [{ target_label: "url", replacement: "" }], '{env="prod", pod="web-1"}'],
    ["drop", [{ source_labels: ["env"], regex: "prod", action: "drop" }], "dropped"],
    ["drop is anchored", [{ source_labels: ["env"], regex: "pro", action: "drop" }], all],
    ["keep", [{ source_labels: ["env"], regex: "dev|prod", action: "keep" }], all],
    ["keep drops the others", [{ source_labels: ["none"], regex: ".+", action: "keep" }], "dropped"],
    ["keepequal", [{ source_labels: ["env"], target_label: "pod", action: "keepequal" }], "dropped"],
    ["dropequal", [{ source_labels: ["env"], target_label: "pod", action: "dropequal" }], all],
    ["labeldrop", [{ regex: "pod|url", action: "labeldrop" }], '{env="prod"}'],
    ["labelkeep", [{ regex: "pod|url", action: "labelkeep" }], '{pod="web-1", url="/a?id=7"}'],
    [
      "labelmap",
      [{ regex: "(p.*)", replacement: "k8s_$1", action: "labelmap" }],
      '{env="prod", k8s_pod="web-1", pod="web-1", url="/a?id=7"}',
    ],
    [
      "uppercase",
      [{ source_labels: ["env"], target_label: "env", action: "Uppercase" }],
      '{env="PROD", pod="web-1", url="/a?id=7"}',
    ],
    [
      "lowercase",
      [{ source_labels: ["env"], target_label: "l", action: "lowercase" }],
      '{env="prod", l="prod", pod="web-1", url="/a?id=7"}',
    ],
    // Of these two Prometheus's tests know the results: 976 and 734.
    [
      "hashmod",
      [
        { regex: "env|pod|url", action: "labeldrop" },
        { target_label: "c", replacement: "baz" },
        { source_labels: ["c"], target_label: "d", modulus: 1000, action: "hashmod" },
      ],
      '{c="baz", d="976"}',
    ],
    [
      "hashmod of two lines",
      [
        { regex: "env|pod|url", action: "labeldrop" },
        { target_label: "a", replacement: "foo\nbar" },
        { source_labels: ["a"], target_label: "b", modulus: 1000, action: "hashmod" },
      ],
      '{a="foo\\nbar", b="734"}',
    ],
    [
      "in order",
      [
        { source_labels: ["env"], target_label: "stage" },
        { regex: "env|pod|url", action: "labeldrop" },
        { source_labels: ["stage"], regex: "prod", target_label: "stage", replacement: "live" },
      ],
      '{stage="live"}',
    ],
  ] as const)("%s", ([, rules, expected]) => {
    expect(relabel(...rules)).toBe(expected);
  });

  it.for([
    [{}, "relabeling rules are {}: expected a list"],
    [[1], "relabeling rule 0 is 1: expected names with values"],
    [
      [{ action: "keep" }, { action: "hash" }],
      'relabeling rule 1: action is "hash": expected one of replace, keep',
    ],
    [
      [{ action: "hashmod", target_label: "d" }],
      "relabeling rule 0: modulus is 0: expected a whole number from 1",
    ],
    [[{ action: "hashmod", modulus: 5 }], "relabeling rule 0: hashmod needs a target_label"],
    [[{ action: "drop", modulus: "5" }], 'relabeling rule 0: modulus is "5": expected a whole number from 0'],
    [[{ sources: ["a"] }], 'relabeling rule 0: there is no field "sources"'],
    [[{ source_labels: "a" }], 'relabeling rule 0: source_labels is "a": expected a list of names'],
    [[{ target_label: 5 }], "relabeling rule 0: target_label is 5: expected a text"],
    [[{ replacement: "x" }], "relabeling rule 0: replace needs a target_label"],
    [[{ action: "drop", regex: "(" }], 'relabeling rule 0: regex "(": missing closing )'],
    [[{ action: "drop", regex: "(?:a?){2000}" }], "relabeling rule 0: regex"],
    [Array<object>(101).fill({ action: "keep" }), "101 relabeling rules: limit 100"],
  ] as const)("refuses %j", ([rules, message]) => {
    expect(() => parseRelabelRules(rules)).toThrow(
      expect.objectContaining({ code: "LABELS_INVALID", message: expect.stringContaining(message) }),
    );
  });
});
