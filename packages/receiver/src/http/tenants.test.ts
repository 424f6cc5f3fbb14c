import { describe, expect, it } from "vitest";
import { parseTenants, requireOneTenant } from "./tenants.ts";

describe("parseTenants", () => {
  it.for([
    ["team-a", ["team-a"]],
    ["A!-_.*'()z", ["A!-_.*'()z"]],
    ["b|a|b", ["a", "b"]],
    ["team:product=profiles", ["team"]],
    ["b:k=v|a:k=v", ["a", "b"]],
    ["x".repeat(150), ["x".repeat(150)]],
  ] as const)("reads %s", ([header, tenants]) => {
    expect(parseTenants(header)).toEqual(tenants);
  });

  it.for([
    [undefined, "UNAUTHENTICATED", "no org id"],
    ["", "UNAUTHENTICATED", "no org id"],
    ["a||b", "UNAUTHENTICATED", "no org id"],
    [":k=v", "UNAUTHENTICATED", "no org id"],
    ["x".repeat(151), "INVALID_ARGUMENT", "tenant ID is too long: max 150 characters"],
    ["a/b", "INVALID_ARGUMENT", "tenant ID 'a/b' contains unsupported character '/'"],
    ["a, b", "INVALID_ARGUMENT", "tenant ID 'a, b' contains unsupported character ','"],
    ["a\u0000", "INVALID_ARGUMENT", "tenant ID 'a\u0000' contains unsupported character '\u0000'"],
    ["ａ", "INVALID_ARGUMENT", "tenant ID 'ａ' contains unsupported character 'ａ'"],
    ["%2e%2e", "INVALID_ARGUMENT", "tenant ID '%2e%2e' contains unsupported character '%'"],
    [".", "INVALID_ARGUMENT", "tenant ID is '.' or '..'"],
    ["a|..", "INVALID_ARGUMENT", "tenant ID is '.' or '..'"],
  ] as const)("refuses %j as %s", ([header, code, message]) => {
    expect(() => parseTenants(header)).toThrow(expect.objectContaining({ code, message }));
  });

  it("refuses a header that was sent twice", () => {
    expect(() => parseTenants(["a", "b"])).toThrow("unsupported character ','");
  });
});

describe("requireOneTenant", () => {
  it("returns the only tenant and refuses several", () => {
    expect(requireOneTenant(["a"])).toBe("a");
    expect(() => requireOneTenant(["a", "b"])).toThrow("multiple org IDs present");
  });
});
