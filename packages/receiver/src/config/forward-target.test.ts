import { describe, expect, it } from "vitest";
import { bearerToken, forwardTarget } from "./forward-target.ts";

const parse = (raw: string) => forwardTarget.parse(raw, () => "");

describe("forwardTarget", () => {
  it.for([
    ["http://127.0.0.1:4040", "http://127.0.0.1:4040"],
    ["https://pyroscope.example.com/", "https://pyroscope.example.com"],
    ["https://example.com/tools/pyroscope/", "https://example.com/tools/pyroscope"],
  ])("takes %s", ([raw, baseUrl]) => {
    expect(parse(raw!)).toEqual({ baseUrl, authorization: undefined });
  });

  it("makes Basic credentials of user and password", () => {
    const target = parse("https://12345:glc%3Akey@profiles.example.com");

    expect(target?.baseUrl).toBe("https://profiles.example.com");
    expect(target?.authorization?.reveal()).toBe(`Basic ${btoa("12345:glc:key")}`);
  });

  it("shows no credentials", () => {
    const target = parse("https://12345:key@profiles.example.com");

    expect(forwardTarget.format(target)).toBe("https://***@profiles.example.com");
    expect(JSON.stringify(target)).not.toContain("12345");
  });

  it.for([
    "",
    "pyroscope:4040",
    "localhost",
    "ftp://example.com",
    "file:///tmp",
    "https://example.com/?a=b",
    "https://example.com/#a",
  ])("refuses %j", (raw) => {
    expect(parse(raw)).toBeUndefined();
  });
});

describe("bearerToken", () => {
  it("reads a token, or a file of one", () => {
    expect(bearerToken.parse("t0ken", () => "")?.reveal()).toBe("Bearer t0ken");
    expect(bearerToken.parse("@/run/token", (path) => `from ${path}`.replaceAll(" ", "-"))?.reveal()).toBe(
      "Bearer from-/run/token",
    );
  });

  it.for(["", "two words", "line\nbreak", "ключ"])("refuses %j", (raw) => {
    expect(bearerToken.parse(raw, () => "")).toBeUndefined();
  });
});
