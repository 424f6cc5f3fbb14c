import { describe, expect, it } from "vitest";
import { formatSelector } from "../labels/match-condition.ts";
import { parseQuery } from "./query.ts";

const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

describe("parseQuery", () => {
  it.for([
    [`${CPU}{service_name="shop"}`, CPU, '{service_name="shop"}'],
    [`${CPU}{}`, CPU, "{}"],
    [CPU, CPU, "{}"],
    [` ${CPU} { a!="b" } `, CPU, '{a!="b"}'],
    [`{__name__="${CPU}",a=~"b"}`, CPU, '{a=~"b"}'],
    [`{a=~"b",__name__="${CPU}"}`, CPU, '{a=~"b"}'],
    [`{"${CPU}"}`, CPU, "{}"],
    ["memory:inuse_space:bytes::{}", "memory:inuse_space:bytes::", "{}"],
    ["a.b-c/d:e:f:g:h{}", "a.b-c/d:e:f:g:h", "{}"],
    [`${CPU}:delta{}`, `${CPU}:delta`, "{}"],
    [`${CPU}{__name__!="x"}`, CPU, '{__name__!="x"}'],
  ] as const)("reads %s", ([text, id, selector]) => {
    const query = parseQuery(text);

    expect(query.profileType.id).toBe(id);
    expect(formatSelector(query.matchers)).toBe(selector);
  });

  it.for([
    ["", '"query" is required'],
    ["{}", '"query" must contain a profile-type selection'],
    ['{service_name="shop"}', '"query" must contain a profile-type selection'],
    [`{__name__=~"${CPU}"}`, '"query" must contain a profile-type selection'],
    [
      "cpu{",
      'failed to parse "query": parsing label selector "{": position 2: expected a label name, got the end',
    ],
    [
      "cpu{} x",
      'failed to parse "query": parsing label selector "{} x": position 4: expected the end, got "x"',
    ],
    [`${CPU}{__name__="x"}`, 'failed to parse "query": __name__ is given twice'],
    [
      "cpu{}",
      'failed to parse "query": profile-type selection must be of the form <name>:<sample-type>:<sample-unit>:<period-type>:<period-unit>(:delta), got(1): "cpu"',
    ],
  ] as const)("refuses %j", ([text, message]) => {
    expect(() => parseQuery(text)).toThrow(expect.objectContaining({ code: "QUERY_INVALID", message }));
  });

  it("names the parameter that was wrong", () => {
    expect(() => parseQuery("", "leftQuery")).toThrow('"leftQuery" is required');
    expect(() => parseQuery("{}", "leftQuery")).toThrow('"leftQuery" must contain a profile-type selection');
  });
});
