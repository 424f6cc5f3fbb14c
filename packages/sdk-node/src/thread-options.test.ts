import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { shareOptions } from "./thread-options.ts";

const KEY = "pyroscope.options";

afterEach(() => setEnvironmentData(KEY, undefined));

describe("shareOptions", () => {
  it("hands on what is data, and of a list of exporters those with a name", () => {
    class Archive {
      export(): void {}
    }
    const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

    shareOptions({
      applicationName: "shop",
      tags: { zone: 1 },
      logger,
      exporters: ["file", new Archive(), { export: () => {} }],
    });

    expect(JSON.parse(String(getEnvironmentData(KEY)))).toEqual({
      applicationName: "shop",
      tags: { zone: 1 },
      exporters: ["file"],
    });
  });
});
