import { describe, expect, it } from "vitest";
import type { HeapLimitOrder } from "./heap-limit-order.ts";
import { openOrder, sealOrder } from "./heap-limit-order.ts";

const order: HeapLimitOrder = {
  targets: [{ kind: "file", directory: "/srv/profiles", maxBytes: 1, maxFiles: 1 }],
  labels: [{ name: "service_name", value: "shop" }],
  types: ["inuse_space"],
  intervalBytes: 512 * 1024,
  typeIds: "standard",
  sourceMaps: true,
  timeoutMs: 1500,
  logLevel: "warn",
};

describe("sealOrder", () => {
  it("gives the order back to who has the key", () => {
    const { bytes, key } = sealOrder(order);

    expect(openOrder(bytes, key)).toEqual(order);
  });

  it("has nothing of the order to read in its bytes", () => {
    const { bytes } = sealOrder(order);

    expect(Buffer.from(bytes).toString("latin1")).not.toContain("service_name");
  });

  it("gives nothing for another key, nor for bytes that were cut or changed", () => {
    const { bytes, key } = sealOrder(order);
    const changed = Uint8Array.from(bytes);
    changed[40] = (changed[40] ?? 0) ^ 1;

    expect(() => openOrder(bytes, sealOrder(order).key)).toThrow();
    expect(() => openOrder(changed, key)).toThrow();
    for (const length of [0, 5, 20, 28, bytes.length - 1])
      expect(() => openOrder(bytes.subarray(0, length), key)).toThrow();
  });
});
