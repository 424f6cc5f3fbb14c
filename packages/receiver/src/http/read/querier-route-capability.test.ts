import { describe, expect, it } from "vitest";
import { acceptsUtf8LabelNames } from "./querier-route-capability.ts";

describe("acceptsUtf8LabelNames", () => {
  it.for([
    [null, false],
    ["", false],
    ["*/*", false],
    ["text/html, image/gif, *; q=.2, */*; q=.2", false],
    ["*/*; allow-utf8-labelnames=true", true],
    ["*/*;allow-utf8-labelnames=false", false],
    ['application/json;q=0.9, application/proto; Allow-UTF8-Labelnames="true"', true],
  ] as const)("reads %s as %s", ([accept, expected]) => {
    expect(acceptsUtf8LabelNames(accept)).toBe(expected);
  });

  it.for(["a/b/c", "*/*; allow-utf8-labelnames=", "text html"])("refuses %s", (accept) => {
    expect(() => acceptsUtf8LabelNames(accept)).toThrow("Invalid header format:");
  });

  it.for([`a/b${"; ".repeat(5000)}=`, `a/b${";a=b ".repeat(3000)}=`, `${" ".repeat(16_000)}/`])(
    "refuses a header made to take long",
    (accept) => {
      expect(() => acceptsUtf8LabelNames(accept)).toThrow("Invalid header format:");
    },
  );
});
