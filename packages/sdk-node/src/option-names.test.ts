import { describe, expect, it } from "vitest";
import { renameOptions } from "./option-names.ts";

const names = [
  "applicationName",
  "tenantId",
  "uploadRate",
  "tags",
  "sampleRate",
  "heapStackDepth",
  "httpHeaders",
];

describe("renameOptions", () => {
  it.for([
    ["our own", { applicationName: "a", tags: { x: 1 } }, { applicationName: "a", tags: { x: 1 } }],
    [
      "Go's",
      { ApplicationName: "a", TenantID: "t", HTTPHeaders: {} },
      { applicationName: "a", tenantId: "t", httpHeaders: {} },
    ],
    [
      "@pyroscope/nodejs'",
      { appName: "a", tenantID: "t", flushIntervalMs: 5 },
      { applicationName: "a", tenantId: "t", uploadRate: 5 },
    ],
    [
      "its groups",
      { heap: { stackDepth: 3 }, wall: { samplingIntervalMicros: 20_000 } },
      { heapStackDepth: 3, sampleRate: 50, heapSamplingIntervalBytes: undefined },
    ],
    ["what has no effect", { sourceMapper: {}, shortenPaths: true, stripFilenames: "all" }, {}],
    ["what nobody knows", { huh: 1, heap: 2, wall: "x" }, { huh: 1, heap: 2, wall: "x" }],
  ] as const)("takes names that are %s", ([, options, expected]) => {
    expect(renameOptions(options, names)).toEqual(expected);
  });

  it("prefers an option under its own name, wherever it stands", () => {
    expect(renameOptions({ applicationName: "ours", appName: "theirs" }, names)).toEqual({
      applicationName: "ours",
    });
    expect(renameOptions({ appName: "theirs", applicationName: "ours" }, names)).toEqual({
      applicationName: "ours",
    });
  });
});
