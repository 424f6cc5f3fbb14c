import { describe, expect, it } from "vitest";
import { CaptureOrders, ORDER_LIFETIME_MS } from "./capture-orders.ts";

function createOrders() {
  let nowMs = 0;
  const orders = new CaptureOrders({ nowUnixMillis: () => nowMs });
  return {
    orders,
    advance(ms: number) {
      nowMs += ms;
    },
  };
}

const shop = { service: "shop", session: undefined };

describe("CaptureOrders", () => {
  it("gives each order out once, the oldest first, to its service and tenant only", () => {
    const { orders } = createOrders();
    const first = orders.place("a", shop, "cpu", 10);
    const second = orders.place("a", shop, "allocations", 5);

    expect(orders.take("b", "shop", "1")).toBeUndefined();
    expect(orders.take("a", "cart", "1")).toBeUndefined();
    expect(orders.take("a", "shop", "1")).toEqual(first);
    expect(orders.take("a", "shop", undefined)).toEqual(second);
    expect(orders.take("a", "shop", "1")).toBeUndefined();
    expect(first).toMatchObject({ kind: "cpu", seconds: 10 });
    expect(first?.id).not.toBe(second?.id);
  });

  it("gives an order for one process to that process", () => {
    const { orders } = createOrders();
    const order = orders.place("a", { service: "shop", session: "2" }, "cpu", 10);

    expect(orders.take("a", "shop", "1")).toBeUndefined();
    expect(orders.take("a", "shop", "2")).toEqual(order);
  });

  it("forgets an order that nobody takes, and takes no more than 100", () => {
    const { orders, advance } = createOrders();
    for (let i = 0; i < 100; i++) expect(orders.place("a", shop, "cpu", 10)).toBeDefined();
    expect(orders.place("a", shop, "cpu", 10)).toBeUndefined();

    advance(ORDER_LIFETIME_MS - 1);
    expect(orders.take("a", "shop", "1")).toBeDefined();
    advance(1);
    expect(orders.take("a", "shop", "1")).toBeUndefined();
    expect(orders.place("a", shop, "cpu", 10)).toBeDefined();
  });
});
