import { getLabel, PROFILE_NAME_LABEL, ProtocolError } from "@pyroscope-ts/protocol";
import { ReceiverError, type ReceiverErrorCode } from "../../errors.ts";
import type { ForwardedPush } from "../../forward/forwarded-push.ts";
import type { Forwarder } from "../../forward/forwarder.ts";
import type { DiscardReason } from "../../ingest/discard-reasons.ts";
import type { IngestionDoctor } from "../../ingest/ingestion-doctor.ts";
import type { IngestLimits } from "../../ingest/limits.ts";
import type { PushItem, PushItemResult, PushService } from "../../ingest/push-service.ts";
import type { MetricSet } from "../../telemetry/metrics.ts";
import type { RequestContext } from "../request-context.ts";
import { requireOneTenant } from "../tenants.ts";
import type { PushGate } from "./push-gate.ts";

/** What a {@link ProfileWriter} works with. */
export interface ProfileWriterOptions {
  readonly pushService: PushService;
  readonly gate: PushGate;
  readonly limitsOf: (tenant: string) => IngestLimits;
  readonly clock: { nowUnixMillis(): number };
  /** Told of every push. */
  readonly doctor?: Pick<IngestionDoctor, "observe" | "observeRefusal">;
  /** Gets a copy of every request of which something was admitted. */
  readonly forwarder?: Pick<Forwarder, "add">;
  readonly metrics: Pick<
    MetricSet,
    | "receivedProfiles"
    | "receivedBytes"
    | "receivedCompressedBytes"
    | "receivedDecompressedBytes"
    | "receivedSamples"
    | "sanitizedLabelNames"
    | "foldedSeries"
    | "discardedSamples"
    | "discardedBytes"
  >;
}

/** The way of profiles from a write route to the storage thread, counted. */
export interface ProfileWriter {
  readonly nowUnixMillis: () => number;
  readonly limitsOf: (context: RequestContext) => IngestLimits;
  /**
   * Hands profiles over as one batch; resolves when those that were admitted are durable.
   *
   * @param copyRequest - the request for another server, of bytes that are its own; called only when it is forwarded.
   * @throws {@link ReceiverError} `INVALID_ARGUMENT` when the request names several tenants; `UNAVAILABLE` when too much
   * waits already, or the storage thread is gone.
   */
  push(
    context: RequestContext,
    items: readonly PushItem[],
    copyRequest: () => CopiedRequest,
  ): Promise<readonly PushItemResult[]>;
  /**
   * Turns a push away, and counts it, while it would wait too long: before its body is read.
   *
   * @throws {@link ReceiverError} `UNAVAILABLE`.
   */
  checkRoom(context: RequestContext): void;
  /** Counts a request that is refused before there is anything to hand over, as one profile. */
  refuse(context: RequestContext, error: ReceiverError): void;
}

/** Errors that are about what a client sent; a full budget, a time-out or a missing tenant are not. */
const refusedRequests: ReadonlyMap<ReceiverErrorCode, DiscardReason> = new Map([
  ["BODY_TOO_LARGE", "body_size_limit_exceeded"],
  ["UNSUPPORTED_MEDIA_TYPE", "malformed_profile"],
  ["UNPROCESSABLE", "malformed_profile"],
  ["INVALID_ARGUMENT", "malformed_profile"],
]);

function reasonOf({ code, cause }: ReceiverError): DiscardReason | undefined {
  const isName =
    cause instanceof ProtocolError &&
    (cause.code === "LABELS_INVALID" || cause.code === "TEXT_PROFILE_TYPE_INVALID");
  return isName ? "invalid_labels" : refusedRequests.get(code);
}

/** Profile names that are values of the label `type`: clients choose the names, and each would be a series of its own. */
const knownTypes: ReadonlySet<string> = new Set([
  ...["process_cpu", "wall", "memory", "mutex", "block", "goroutine", "goroutines", "off_cpu"],
  ...["exceptions", "exception", "gc", "wait", "lock"],
]);

function profileTypeLabel(profileName: string): string {
  return knownTypes.has(profileName) ? profileName : "other";
}

/** What a payload was sent as: its profile's name, where it is one profile. */
function sentTypeLabel({ format, labels }: PushItem, result: PushItemResult | undefined): string {
  if (format?.kind === "jfr") return "jfr";
  if (format?.kind === "otlp") return "otel";
  const stored = result?.ok === true ? result.measures?.profileName : undefined;
  return profileTypeLabel(stored ?? getLabel(labels, PROFILE_NAME_LABEL) ?? "");
}

/** A request as another server takes it. */
export type CopiedRequest = Omit<ForwardedPush, "tenant">;

export function createProfileWriter({
  pushService,
  gate,
  limitsOf,
  clock,
  doctor,
  forwarder,
  metrics,
}: ProfileWriterOptions): ProfileWriter {
  const count = (tenant: string, result: PushItemResult): void => {
    if (result.ok) {
      metrics.receivedProfiles.inc({ tenant }, result.profiles);
      if (result.renamedLabelCount !== undefined)
        metrics.sanitizedLabelNames.inc({ tenant }, result.renamedLabelCount);
      // No client can change it, so that it is counted and no refusal: as on Pyroscope.
      const reason = "dropped_by_relabel_rules";
      if (result.droppedSeriesCount !== undefined)
        metrics.discardedSamples.inc({ reason, tenant }, result.droppedSeriesCount);
      const { measures } = result;
      if (measures !== undefined) {
        const labels = { type: profileTypeLabel(measures.profileName), tenant };
        metrics.receivedDecompressedBytes.observe(labels, measures.bytes);
        metrics.receivedSamples.observe(labels, measures.sampleCount);
      }
      if (result.foldedSeriesCount !== undefined)
        metrics.foldedSeries.inc({ tenant }, result.foldedSeriesCount);
      return;
    }
    const { reason, bytes } = result;
    metrics.discardedSamples.inc({ reason, tenant });
    metrics.discardedBytes.inc({ reason, tenant }, bytes);
  };
  const refuse = (
    { tenants, client }: RequestContext,
    { message }: ReceiverError,
    reason: DiscardReason | undefined,
  ): void => {
    const [tenant] = tenants;
    if (tenant === undefined || tenants.length > 1 || reason === undefined) return;
    metrics.discardedSamples.inc({ reason, tenant });
    doctor?.observeRefusal({ tenant, client, reason, message, nowUnixMillis: clock.nowUnixMillis() });
  };
  const checkRoom = (context: RequestContext): void => {
    try {
      gate.check(context.tenants[0] ?? "");
    } catch (error) {
      if (error instanceof ReceiverError) refuse(context, error, "overloaded");
      throw error;
    }
  };
  return {
    nowUnixMillis: () => clock.nowUnixMillis(),
    limitsOf: ({ tenants }) => limitsOf(requireOneTenant(tenants)),
    async push(context, items, copyRequest) {
      const { tenants, client, isForwarded } = context;
      const tenant = requireOneTenant(tenants);
      checkRoom(context);
      // Read before the payloads move to the other thread, which leaves them empty here.
      const copy = forwarder === undefined || isForwarded === true ? undefined : copyRequest();
      const sentSizes = items.map(({ payload }) => payload.length);
      metrics.receivedBytes.inc(
        { tenant },
        sentSizes.reduce((sum, size) => sum + size, 0),
      );
      const receivedUnixMillis = clock.nowUnixMillis();
      const batch = { tenant, receivedUnixMillis, items, limits: limitsOf(tenant), client };
      const results = await gate.run(tenant, items.length, () => pushService.push(batch));
      for (const result of results) count(tenant, result);
      for (const [i, item] of items.entries()) {
        const type = sentTypeLabel(item, results[i]);
        metrics.receivedCompressedBytes.observe({ type, tenant }, sentSizes[i] ?? 0);
      }
      if (copy !== undefined && results.some(({ ok }) => ok)) forwarder?.add({ tenant, ...copy });
      doctor?.observe({ tenant, client, items, results, nowUnixMillis: receivedUnixMillis });
      return results;
    },
    checkRoom,
    refuse: (context, error) => refuse(context, error, reasonOf(error)),
  };
}
