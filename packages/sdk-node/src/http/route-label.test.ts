import { describe, expect, it } from "vitest";
import { formatRoutePath, guessRoute, watchProperty } from "./route-label.ts";

describe("guessRoute", () => {
  it.for([
    ["/", "/"],
    ["", ""],
    ["/orders/17?full=1", "/orders/:id"],
    ["/orders/list", "/orders/list"],
    ["/v1/users/9b2f6c1e-0d3a-4a57-8c1f-2b7d9e0a4c55/cart", "/v1/users/:id/cart"],
    ["/blobs/deadbeefcafe", "/blobs/:id"],
    ["/face", "/face"],
    ["/t/abcdefghij0123456789", "/t/:id"],
    ["/a-long-name-without-any-number", "/a-long-name-without-any-number"],
    ["/a#b\nc", "/a"],
  ] as const)("of %s is %s", ([url, route]) => {
    expect(guessRoute(url)).toBe(route);
  });
});

describe("formatRoutePath", () => {
  it("shows a path as it was written", () => {
    expect([
      formatRoutePath("/a/:id"),
      formatRoutePath(/^\/a/),
      formatRoutePath(["/a", /b/]),
      formatRoutePath(undefined),
    ]).toEqual(["/a/:id", "/^\\/a/", "/a|/b/", ""]);
  });
});

describe("watchProperty", () => {
  it("tells of each value and leaves the property as it was", () => {
    const target: { route?: unknown } = { route: "first" };
    const seen: unknown[] = [];

    watchProperty(target, "route", (value) => seen.push(value));
    expect(target.route).toBe("first");
    target.route = "second";

    expect(seen).toEqual(["second"]);
    expect(JSON.stringify(target)).toBe('{"route":"second"}');
  });

  it("leaves an object alone that cannot be changed", () => {
    const target = Object.freeze({ route: 1 });

    watchProperty(target, "route", () => {});

    expect(target.route).toBe(1);
  });
});
