import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SpanListQuery, SpanTotals } from "./query-service.ts";
import { createQueryFixture, nanosAt, type QueryFixture, stackQuery, T0 } from "./testing/query-fixture.ts";

const TRACE = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
const OTHER_TRACE = "00000000-0000-0000-0000-00000000000b";

let fixture: QueryFixture;

beforeEach(async () => {
  fixture = await createQueryFixture();
});

afterEach(async () => {
  await fixture.store.close();
});

async function selectSpans(changes: Partial<SpanListQuery> = {}): Promise<SpanTotals> {
  return (await fixture.queries.selectSpans({ ...stackQuery(), ...changes })).value;
}

/** A request that two services answer, another request, and work that belongs to none. */
async function addRequests(): Promise<void> {
  const cart = { service_name: "shop", span_name: "GET /cart" };
  const stock = { service_name: "stock", span_name: "GET /stock" };
  await fixture.store.add([
    { timeUnixNanos: nanosAt(1), labels: cart, stacks: { "main;price": 30 }, spanId: 0xan, traceId: TRACE },
    { timeUnixNanos: nanosAt(1), labels: stock, stacks: { "main;count": 50 }, spanId: 0xbn, traceId: TRACE },
    {
      timeUnixNanos: nanosAt(2),
      labels: cart,
      stacks: { "main;tax": 7 },
      spanId: 0xcn,
      traceId: OTHER_TRACE,
    },
    { timeUnixNanos: nanosAt(3), labels: { service_name: "shop" }, stacks: { "main;price": 13 } },
  ]);
}

describe("selectSpans", () => {
  it("lists spans and names with the largest first, and says how much belongs to none", async () => {
    await addRequests();

    expect(await selectSpans()).toEqual({
      total: 100n,
      spanTotal: 87n,
      spanCount: 3,
      names: [
        { service: "stock", name: "GET /stock", spanCount: 1, total: 50n },
        { service: "shop", name: "GET /cart", spanCount: 2, total: 37n },
      ],
      spans: [
        span("stock", "GET /stock", "b", TRACE, 1, 50n),
        span("shop", "GET /cart", "a", TRACE, 1, 30n),
        span("shop", "GET /cart", "c", OTHER_TRACE, 2, 7n),
      ],
    });
  });

  it("finds both services of a trace, one span, and what a selector leaves", async () => {
    await addRequests();
    const ids = async (changes: Partial<SpanListQuery>) =>
      (await selectSpans(changes)).spans.map(({ service, spanId }) => `${service} ${Number(`0x${spanId}`)}`);

    expect(await ids({ traceIds: [TRACE.replaceAll("-", "")] })).toEqual(["stock 11", "shop 10"]);
    expect(await ids({ spanIds: ["000000000000000c"] })).toEqual(["shop 12"]);
    expect(await ids({ selector: '{service_name="stock"}' })).toEqual(["stock 11"]);
  });

  it("finds the spans behind a function, wherever it stands on their stacks", async () => {
    await addRequests();

    const price = await selectSpans({ functionName: "price" });
    const main = await selectSpans({ functionName: "main" });
    const unknown = await selectSpans({ functionName: "x' OR 'a'='a" });

    expect([price.total, price.spanTotal, price.spans.map(({ total }) => total)]).toEqual([43n, 30n, [30n]]);
    expect(main.total).toBe(100n);
    expect(unknown).toEqual({ total: 0n, spanTotal: 0n, spanCount: 0, names: [], spans: [] });
  });

  it("finds the spans behind an unnamed function by the name that a tree shows for it", async () => {
    const at = (spanId: bigint, frame: string) => ({
      ...{ timeUnixNanos: nanosAt(1), labels: { service_name: "shop" }, traceId: TRACE },
      ...{ spanId, stacks: { [`main;(anonymous)@${frame}`]: Number(spanId) } },
    });
    await fixture.store.add([
      ...[at(1n, "/v1/cart.js:3"), at(2n, "C:\\app\\cart.js:4"), at(4n, "/v1/my-cart.js:3")],
      ...[at(8n, "node:internal/url:1"), at(16n, "/internal/url:1")],
    ]);
    const totalOf = async (functionName: string) => (await selectSpans({ functionName })).total;

    expect(await totalOf("(anonymous) cart.js")).toBe(3n);
    expect(await totalOf("(anonymous) node:internal/url")).toBe(8n);
    expect(await totalOf("(anonymous)")).toBe(31n);
    expect(await totalOf("(anonymous) %")).toBe(0n);
  });

  it("makes one span of its samples over windows, series and names: the last name counts", async () => {
    const add = (offsetMs: number, labels: Record<string, string>, value: number) => ({
      timeUnixNanos: nanosAt(offsetMs),
      labels,
      stacks: { main: value },
      spanId: 1n,
      traceId: TRACE,
    });
    await fixture.store.add([
      add(1, { span_name: "GET" }, 1),
      add(5, { span_name: "GET /cart", step: "a" }, 2),
      add(5, { span_name: "GET /cart", step: "b" }, 4),
    ]);

    const { names, spans } = await selectSpans();

    expect(names).toEqual([{ service: "shop", name: "GET /cart", spanCount: 1, total: 7n }]);
    expect(spans).toEqual([{ ...span("shop", "GET /cart", "1", TRACE, 1, 7n), lastUnixMillis: T0 + 5 }]);
  });

  it("lists as many as asked, and counts all", async () => {
    await fixture.store.add(
      Array.from({ length: 150 }, (_, i) => ({
        timeUnixNanos: nanosAt(1),
        labels: { span_name: `job ${i}` },
        stacks: { main: i + 1 },
        spanId: BigInt(i + 1),
      })),
    );

    const [few, usual] = [await selectSpans({ limit: 2 }), await selectSpans()];

    expect(few.spanCount).toBe(150);
    expect(few.spans.map(({ total, traceId }) => [total, traceId])).toEqual([
      [150n, ""],
      [149n, ""],
    ]);
    expect([few.names.length, usual.names.length, usual.spans.length]).toEqual([2, 100, 100]);
  });

  it("is empty without data, with a selector that nothing matches, and for profiles without spans", async () => {
    const nothing = { total: 0n, spanTotal: 0n, spanCount: 0, names: [], spans: [] };
    expect(await selectSpans()).toEqual(nothing);
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks: { main: 5 } }]);

    expect(await selectSpans()).toEqual({ ...nothing, total: 5n });
    expect(await selectSpans({ selector: '{service_name="other"}' })).toEqual(nothing);
  });

  it.for([0, -1, 1.5, 1001, Number.NaN])("refuses limit %d", async (limit) => {
    await expect(selectSpans({ limit })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

function span(service: string, name: string, digits: string, trace: string, offsetMs: number, total: bigint) {
  return {
    service,
    name,
    spanId: digits.padStart(16, "0"),
    traceId: trace.replaceAll("-", ""),
    firstUnixMillis: T0 + offsetMs,
    lastUnixMillis: T0 + offsetMs,
    total,
  };
}
