import { describe, expect, it } from "vitest";
import { shortenFrame, splitFrame } from "./format-frame.ts";

describe("shortenFrame", () => {
  it.for([
    ["parse /srv/app/src/shop.js:10", "parse src/shop.js:10"],
    ["async parse file:///srv/app/src/shop.js:10", "async parse src/shop.js:10"],
    ["parse src/shop.js:10", "parse src/shop.js:10"],
    ["nextTick node:internal/process/task_queues:104", "nextTick process/task_queues:104"],
    ["GET /a/b/c", "GET /a/b/c"],
    ["parse", "parse"],
  ] as const)("shows %s as %s", ([name, expected]) => {
    expect(shortenFrame(name)).toBe(expected);
  });
});

describe("splitFrame", () => {
  it("tells the function from its file and line", () => {
    expect(splitFrame("computeTax /srv/app/shop.js:10")).toEqual({
      functionName: "computeTax",
      location: "/srv/app/shop.js:10",
    });
    expect(splitFrame("async handle")).toEqual({ functionName: "async handle", location: "" });
  });
});
