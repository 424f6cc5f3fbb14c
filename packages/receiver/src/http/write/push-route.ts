import type { ServiceImpl } from "@connectrpc/connect";
import {
  create,
  PusherService,
  type PushRequest,
  PushRequestSchema,
  PushResponseSchema,
  toBinary,
} from "@pyroscope-ts/protocol/messages";
import { ReceiverError } from "../../errors.ts";
import type { PushItem } from "../../ingest/push-service.ts";
import type { BodyBudget } from "../body/body-budget.ts";
import { type RequestContext, requestContextKey } from "../request-context.ts";
import type { CaptureOrder, CaptureOrders } from "./capture-orders.ts";
import type { CopiedRequest, ProfileWriter } from "./profile-writer.ts";
import { selectRefusal, toPushError } from "./push-refusal.ts";

/** What {@link createPushCall} works with. */
export interface PushCallOptions {
  readonly writer: ProfileWriter;
  readonly budget: BodyBudget;
  readonly orders: CaptureOrders;
}

/** Of a request: `1` where the client records what it is asked to. */
const ACCEPT_CAPTURE_HEADER = "x-pyroscope-accept-capture";

/** Of an answer: what the client is asked to record, as JSON. */
const CAPTURE_HEADER = "x-pyroscope-capture";

/** Path of the call. */
export const PUSH_PATH: string = `/${PusherService.typeName}/${PusherService.method.push.name}`;

/** A header of the request, null without one. */
type HeaderReader = (name: string) => string | null;

/** Does what a push asks for; resolves with the headers of the answer, which has no other content. */
export type PushCall = (
  request: PushRequest,
  context: RequestContext,
  header: HeaderReader,
) => Promise<Readonly<Record<string, string>>>;

/**
 * Makes what answers pushes, whatever way they come.
 *
 * A push is not atomic: each profile is stored or refused by itself, and one that is refused decides the answer. Sending
 * all of them again is safe.
 */
export function createPushCall({ writer, budget, orders }: PushCallOptions): PushCall {
  return async (request, context, header) => {
    const items = toPushItems(request);
    if (items.every((item) => item.payload.length === 0)) {
      const error = new ReceiverError("no profiles received", { code: "INVALID_ARGUMENT" });
      writer.refuse(context, error);
      throw error;
    }
    // The bytes that arrived are counted already; what decompression made of them is not.
    const reservation = budget.open();
    try {
      if (isCompressed(header)) reservation.grow(sum(items.map(({ payload }) => payload.length)));
      const results = await writer.push(context, items, () => copyPush(request));
      const refusal = selectRefusal(results);
      if (refusal !== undefined) throw toPushError(refusal);
      const order = takeOrder(orders, context.tenants, request, header);
      return order === undefined ? {} : { [CAPTURE_HEADER]: JSON.stringify(order) };
    } finally {
      reservation.release();
    }
  };
}

/** `push.v1.PusherService`: profiles with their series, over Connect, gRPC and gRPC-Web. */
export function createPusher(push: PushCall): ServiceImpl<typeof PusherService> {
  return {
    async push(request, { values, requestHeader, responseHeader }) {
      const headers = await push(request, values.get(requestContextKey), (name) => requestHeader.get(name));
      for (const [name, value] of Object.entries(headers)) responseHeader.set(name, value);
      return create(PushResponseSchema);
    },
  };
}

/** The order for the process that pushes. A client that does not know of orders must not use one up. */
function takeOrder(
  orders: CaptureOrders,
  tenants: readonly string[],
  { series }: PushRequest,
  header: HeaderReader,
): CaptureOrder | undefined {
  if (header(ACCEPT_CAPTURE_HEADER) !== "1") return undefined;
  const labelOf = (name: string) => series[0]?.labels.find((label) => label.name === name)?.value;
  const [tenant] = tenants;
  const service = labelOf("service_name");
  if (tenant === undefined || service === undefined) return undefined;
  return orders.take(tenant, service, labelOf("__session_id__"));
}

/** Over whatever protocol it came, it goes on as Connect's. */
function copyPush(request: PushRequest): CopiedRequest {
  return {
    path: PUSH_PATH,
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

function isCompressed(header: HeaderReader): boolean {
  const encoding = header("content-encoding") ?? header("grpc-encoding") ?? "identity";
  return encoding !== "identity";
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
