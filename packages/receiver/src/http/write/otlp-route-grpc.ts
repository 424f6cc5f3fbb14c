import type { ServiceImpl } from "@connectrpc/connect";
import {
  create,
  ExportProfilesServiceResponseSchema,
  type ProfilesService,
  toBinary,
  UndecodedExportRequestSchema,
} from "@pyroscope-ts/protocol/messages";
import type { BodyBudget } from "../body/body-budget.ts";
import { requestContextKey } from "../request-context.ts";
import { copyOtlp } from "./otlp-route.ts";
import type { ProfileWriter } from "./profile-writer.ts";
import { selectRefusal, toPushError } from "./push-refusal.ts";

/** What {@link createOtlpProfiles} works with. */
export interface OtlpProfilesOptions {
  readonly writer: ProfileWriter;
  readonly budget: BodyBudget;
}

/**
 * `opentelemetry.proto.collector.profiles.v1development.ProfilesService`: OTLP profiles over gRPC, gRPC-Web and Connect.
 *
 * The parts of a request stay bytes here: they are decoded within limits, and on another thread.
 */
export function createOtlpProfiles({
  writer,
  budget,
}: OtlpProfilesOptions): ServiceImpl<typeof ProfilesService> {
  return {
    async export(request, { values }) {
      const context = values.get(requestContextKey);
      const payload = toBinary(UndecodedExportRequestSchema, request);
      // What arrived is counted already; this is a copy, or what decompression made of it.
      const reservation = budget.open();
      try {
        reservation.grow(payload.length);
        const format = { kind: "otlp", encoding: "proto" } as const;
        const item = { labels: [], payload, id: context.requestId, format };
        const results = await writer.push(context, [item], () => copyOtlp(payload, "proto"));
        const refusal = selectRefusal(results);
        if (refusal !== undefined) throw toPushError(refusal);
        return create(ExportProfilesServiceResponseSchema);
      } finally {
        reservation.release();
      }
    },
  };
}
