import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import { create, PushRequestSchema } from "@pyroscope-ts/protocol/messages";
import { describe, expect, it } from "vitest";
import { DEFAULT_INGEST_LIMITS } from "../../ingest/limits.ts";
import type { PushBatch, PushItemResult } from "../../ingest/push-service.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { createBodyBudget } from "../body/body-budget.ts";
import { requestContextKey } from "../request-context.ts";
import { CaptureOrders } from "./capture-orders.ts";
import { createProfileWriter } from "./profile-writer.ts";
import { createPushGate } from "./push-gate.ts";
import { createPushCall, createPusher } from "./push-route.ts";

const OK: PushItemResult = { ok: true, profiles: 1 };
const refused = (
  code: "invalid_argument" | "resource_exhausted" | "unavailable" | "internal",
  message: string,
) =>
  ({ ok: false, reason: "unknown", code, message, isUndecodable: false, bytes: 1 }) satisfies PushItemResult;

function createPush(
  results: readonly PushItemResult[],
  tenants: readonly string[] = ["acme"],
  ownLabels: readonly { readonly name: string; readonly value: string }[] = [],
) {
  const batches: PushBatch[] = [];
  const budget = createBodyBudget(4);
  const writer = createProfileWriter({
    gate: createPushGate(0, { monotonicMillis: () => 0 }),
    pushService: {
      push: async (batch) => {
        batches.push(batch);
        return results;
      },
    },
    limitsOf: () => DEFAULT_INGEST_LIMITS,
    clock: { nowUnixMillis: () => 5 },
    metrics: createMetrics({ isProcessIncluded: false }).metrics,
  });
  const orders = new CaptureOrders({ nowUnixMillis: () => 5 });
  let answered = new Headers();
  const values = createContextValues().set(requestContextKey, { tenants, requestId: "r", client: "sdk/1" });
  const push = (payloads: readonly (readonly string[])[], headers: Record<string, string> = {}) => {
    const series = payloads.map((texts, i) => ({
      labels: [{ name: "__name__", value: `s${i}` }, ...ownLabels],
      samples: texts.map((text) => ({ rawProfile: Buffer.from(text), ID: `id-${text}` })),
    }));
    const responseHeader = new Headers();
    const context = {
      values,
      requestHeader: new Headers(headers),
      responseHeader,
    } as unknown as HandlerContext;
    // Called as a Connect router calls it.
    const answer = createPusher(createPushCall({ writer, budget, orders })).push(
      create(PushRequestSchema, { series }),
      context,
    );
    answered = responseHeader;
    return answer;
  };
  return { push, batches, budget, orders, header: (name: string) => answered.get(name) };
}

describe("createPusher", () => {
  it("gives a waiting order to a push that was stored and that takes orders, once", async () => {
    const labels = [
      { name: "service_name", value: "shop" },
      { name: "__session_id__", value: "1" },
    ];
    const accepts = { "x-pyroscope-accept-capture": "1" };
    const { push, orders, header } = createPush([OK], ["acme"], labels);
    const order = orders.place("acme", { service: "shop", session: "1" }, "cpu", 10);

    await push([["a"]]);
    expect(header("x-pyroscope-capture")).toBeNull();
    await push([["a"]], accepts);
    expect(JSON.parse(header("x-pyroscope-capture") ?? "")).toEqual(order);
    await push([["a"]], accepts);
    expect(header("x-pyroscope-capture")).toBeNull();

    const failing = createPush([refused("unavailable", "later")], ["acme"], labels);
    failing.orders.place("acme", { service: "shop", session: undefined }, "cpu", 10);
    await expect(failing.push([["a"]], accepts)).rejects.toThrow();
    expect(failing.orders.take("acme", "shop", "1")).toBeDefined();
  });

  it("hands every sample of every series over in one batch", async () => {
    const { push, batches } = createPush([OK, OK, OK]);

    await push([["a", "b"], ["c"]]);

    expect(batches).toHaveLength(1);
    expect(batches[0]).toMatchObject({ tenant: "acme", client: "sdk/1", receivedUnixMillis: 5 });
    expect(
      batches[0]!.items.map(({ labels, payload, id }) => [labels, Buffer.from(payload).toString(), id]),
    ).toEqual([
      [[{ name: "__name__", value: "s0" }], "a", "id-a"],
      [[{ name: "__name__", value: "s0" }], "b", "id-b"],
      [[{ name: "__name__", value: "s1" }], "c", "id-c"],
    ]);
  });

  it.for([[[]], [[[]]], [[["", ""]]]] as const)("refuses a push without profiles: %j", async ([payloads]) => {
    const { push, batches } = createPush([]);

    await expect(push(payloads)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: "no profiles received",
    });
    expect(batches).toEqual([]);
  });

  it.for([
    [
      "the first refusal",
      [OK, refused("invalid_argument", "one"), refused("resource_exhausted", "two")],
      "INVALID_ARGUMENT",
      "one",
    ],
    ["a limit", [refused("resource_exhausted", "two"), OK], "RESOURCE_EXHAUSTED", "two"],
    [
      "one that may be sent again before others",
      [refused("invalid_argument", "one"), refused("unavailable", "full")],
      "STORAGE_UNAVAILABLE",
      "full",
    ],
    ["a defect", [refused("internal", "internal error")], "INTERNAL", "internal error"],
  ] as const)("answers %s", async ([, results, code, message]) => {
    await expect(createPush(results).push([["a", "b"]])).rejects.toMatchObject({ code, message });
  });

  it("names Retry-After when the storage does not take it", async () => {
    const { push } = createPush([refused("unavailable", "full")]);

    await expect(push([["a"]])).rejects.toMatchObject({ retryAfterSeconds: 5 });
  });

  it("refuses a push for several tenants", async () => {
    await expect(createPush([OK], ["a", "b"]).push([["a"]])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: "multiple org IDs present",
    });
  });

  it.for([{ "content-encoding": "gzip" }, { "grpc-encoding": "gzip" }])(
    "counts what came out of a compressed message against the budget: %j",
    async (headers) => {
      const { push, budget } = createPush([OK]);

      await push([["1234"]], headers);
      await expect(push([["12345"]], headers)).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await push([["12345"]]);
      expect(budget.inflightBytes).toBe(0);
    },
  );
});
