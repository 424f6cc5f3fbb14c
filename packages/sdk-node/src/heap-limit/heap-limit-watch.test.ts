import { existsSync, readFileSync, statSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { createFakeNative } from "../testing/fake-native.ts";
import type { HeapLimitOrder } from "./heap-limit-order.ts";
import { openOrder } from "./heap-limit-order.ts";
import { HeapLimitWatch } from "./heap-limit-watch.ts";

const order: HeapLimitOrder = {
  ...{ targets: [], labels: [], types: ["inuse_space"], intervalBytes: 1, typeIds: "standard" },
  ...{ sourceMaps: false, timeoutMs: 1500, logLevel: "warn" },
};
let watch: HeapLimitWatch | undefined;

afterEach(() => watch?.close());

describe("HeapLimitWatch", () => {
  it("watches whenever the sampler starts, with an order that only this user reads, until it is closed", () => {
    const native = createFakeNative();
    watch = new HeapLimitWatch(order);
    let command: readonly string[] = [];
    const sampler = watch.watch({
      ...native,
      watchHeapLimit(given) {
        command = given;
        native.watchHeapLimit(given);
      },
    });

    sampler.startHeapSampler(1, 2);
    sampler.stopHeapSampler();
    sampler.startHeapSampler(1, 2);

    const [orderPath = "", key = ""] = command.slice(-2);
    expect(native.heapCalls).toEqual([
      "start 1 2",
      `watch ${orderPath}`,
      "stop",
      "start 1 2",
      `watch ${orderPath}`,
    ]);
    expect(statSync(orderPath).mode & 0o777).toBe(0o600);
    expect(openOrder(readFileSync(orderPath), key)).toEqual(order);
    expect(existsSync(command.find((word) => word.includes("heap-limit-export")) ?? "")).toBe(true);

    watch.close();
    watch.close();
    expect(existsSync(orderPath)).toBe(false);
  });
});
