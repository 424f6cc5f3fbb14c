import type { ServiceImpl } from "@connectrpc/connect";
import {
  create,
  type PusherService,
  type PushRequest,
  PushResponseSchema,
} from "@pyroscope-ts/protocol/messages";
import { ReceiverError } from "../errors.ts";
import type { PushItem } from "../ingest/push-service.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { ProfileWriter } from "./profile-writer.ts";
import { selectRefusal, toPushError } from "./push-refusal.ts";
import { requestContextKey } from "./request-context.ts";

/** What {@link createPusher} works with. */
export interface PusherOptions {
  readonly writer: ProfileWriter;
  readonly budget: BodyBudget;
}

/**
 * `push.v1.PusherService`: profiles with their series, over Connect, gRPC and gRPC-Web.
 *
 * A push is not atomic: each profile is stored or refused by itself, and one that is refused decides the answer. Sending
 * all of them again is safe.
 */
export function createPusher({ writer, budget }: PusherOptions): ServiceImpl<typeof PusherService> {
  return {
    async push(request, { values }) {
      const items = toPushItems(request);
      if (items.every((item) => item.payload.length === 0)) {
        throw new ReceiverError("no profiles received", { code: "INVALID_ARGUMENT" });
      }
      // Connect has read and decoded the message by now; what is counted is what waits for the storage thread.
      const reservation = budget.open();
      try {
        reservation.grow(items.reduce((sum, item) => sum + item.payload.length, 0));
        const refusal = selectRefusal(await writer.push(values.get(requestContextKey), items));
        if (refusal !== undefined) throw toPushError(refusal);
        return create(PushResponseSchema);
      } finally {
        reservation.release();
      }
    },
  };
}

function toPushItems({ series }: PushRequest): readonly PushItem[] {
  return series.flatMap(({ labels, samples }) => {
    const plainLabels = labels.map(({ name, value }) => ({ name, value }));
    return samples.map(({ rawProfile, ID }) => ({ labels: plainLabels, payload: rawProfile, id: ID }));
  });
}
