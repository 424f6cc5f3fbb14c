import type { ServiceImpl } from "@connectrpc/connect";
import {
  create,
  PusherService,
  type PushRequest,
  PushRequestSchema,
  PushResponseSchema,
  toBinary,
} from "@pyroscope-ts/protocol/messages";
import { ReceiverError } from "../errors.ts";
import type { PushItem } from "../ingest/push-service.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { CaptureOrder, CaptureOrders } from "./capture-orders.ts";
import type { CopiedRequest, ProfileWriter } from "./profile-writer.ts";
import { selectRefusal, toPushError } from "./push-refusal.ts";
import { requestContextKey } from "./request-context.ts";

/** What {@link createPusher} works with. */
export interface PusherOptions {
  readonly writer: ProfileWriter;
  readonly budget: BodyBudget;
  readonly orders: CaptureOrders;
}

/** Of a request: `1` where the client records what it is asked to. */
const ACCEPT_CAPTURE_HEADER = "x-pyroscope-accept-capture";

/** Of an answer: what the client is asked to record, as JSON. */
const CAPTURE_HEADER = "x-pyroscope-capture";

/**
 * `push.v1.PusherService`: profiles with their series, over Connect, gRPC and gRPC-Web.
 *
 * A push is not atomic: each profile is stored or refused by itself, and one that is refused decides the answer. Sending
 * all of them again is safe.
 */
export function createPusher({ writer, budget, orders }: PusherOptions): ServiceImpl<typeof PusherService> {
  return {
    async push(request, { values, requestHeader, responseHeader }) {
      const items = toPushItems(request);
      if (items.every((item) => item.payload.length === 0)) {
        const error = new ReceiverError("no profiles received", { code: "INVALID_ARGUMENT" });
        writer.refuse(values.get(requestContextKey), error);
        throw error;
      }
      // The bytes that arrived are counted already; what decompression made of them is not.
      const reservation = budget.open();
      try {
        if (isCompressed(requestHeader)) reservation.grow(sum(items.map(({ payload }) => payload.length)));
        const results = await writer.push(values.get(requestContextKey), items, () => copyPush(request));
        const refusal = selectRefusal(results);
        if (refusal !== undefined) throw toPushError(refusal);
        const { tenants } = values.get(requestContextKey);
        const order = takeOrder(orders, tenants, request, requestHeader);
        if (order !== undefined) responseHeader.set(CAPTURE_HEADER, JSON.stringify(order));
        return create(PushResponseSchema);
      } finally {
        reservation.release();
      }
    },
  };
}

/** The order for the process that pushes. A client that does not know of orders must not use one up. */
function takeOrder(
  orders: CaptureOrders,
  tenants: readonly string[],
  { series }: PushRequest,
  header: Headers,
): CaptureOrder | undefined {
  if (header.get(ACCEPT_CAPTURE_HEADER) !== "1") return undefined;
  const labelOf = (name: string) => series[0]?.labels.find((label) => label.name === name)?.value;
  const [tenant] = tenants;
  const service = labelOf("service_name");
  if (tenant === undefined || service === undefined) return undefined;
  return orders.take(tenant, service, labelOf("__session_id__"));
}

/** Over whatever protocol it came, it goes on as Connect's. */
function copyPush(request: PushRequest): CopiedRequest {
  return {
    path: `/${PusherService.typeName}/${PusherService.method.push.name}`,
    contentType: "application/proto",
    body: toBinary(PushRequestSchema, request),
  };
}

function toPushItems({ series }: PushRequest): readonly PushItem[] {
  return series.flatMap(({ labels, samples }) => {
    const plainLabels = labels.map(({ name, value }) => ({ name, value }));
    return samples.map(({ rawProfile, ID }) => ({ labels: plainLabels, payload: rawProfile, id: ID }));
  });
}

function isCompressed(header: Headers): boolean {
  const encoding = header.get("content-encoding") ?? header.get("grpc-encoding") ?? "identity";
  return encoding !== "identity";
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
