import { createHash } from "node:crypto";
import {
  decodeOtlp,
  encodePprof,
  formatLabels,
  type LabelSet,
  type OtlpProfile,
  ProtocolError,
} from "@pyroscope-ts/protocol";
import { refusePayload } from "./decode-payload.ts";
import { toFormatLimits } from "./format-limits.ts";
import type { IngestLimits } from "./limits.ts";
import { parseOtlpJson } from "./otlp-json.ts";
import { PAYLOAD_HASH_BYTES } from "./payload-identity.ts";
import type { PushItem, PushItemRefused } from "./push-service.ts";
import type { PprofItem } from "./read-pprofs.ts";
import { Refusal, toRefused } from "./refusal.ts";

/**
 * Gives the profiles of an OTLP request as pprofs, one at a time. One that breaks a rule is refused by itself.
 *
 * Texts of refusals are Pyroscope's (pkg/ingester/otlp/ingest_handler.go).
 */
export function* readOtlpPprofs(
  { payload, id }: PushItem,
  encoding: "proto" | "json",
  limits: IngestLimits,
): Generator<PprofItem | PushItemRefused> {
  const bytes = payload.length;
  const proto = encoding === "json" ? parseOtlpJson(payload) : payload;
  if (proto instanceof Refusal) {
    yield toRefused(proto, { bytes });
    return;
  }
  const hashes = new OtlpHashes();
  try {
    for (const profile of decodeOtlp(proto, toFormatLimits(limits))) {
      yield profile instanceof ProtocolError ? refuseProfile(profile) : toPprof(profile, id, hashes);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    yield toRefused(refuseRequest(error), { bytes });
  }
}

/** @returns why a profile is not stored. Its own size is not known: the request's belongs to all of them. */
function refuseProfile(error: ProtocolError): PushItemRefused {
  const { reason, message, isUndecodable } = refusePayload(error, []);
  const text = isUndecodable ? `failed to convert otel profile: ${message}` : message;
  return toRefused(new Refusal(reason, text, { isUndecodable }), { bytes: 0 });
}

function refuseRequest(error: ProtocolError): Refusal {
  const { reason, message } = refusePayload(error, []);
  const isProto = error.code !== "WIRE_MALFORMED";
  const text = isProto ? message : `Failed to parse protobuf request: ${message}`;
  return new Refusal(reason, text, { isUndecodable: true });
}

function toPprof({ labels, profile, profileId }: OtlpProfile, id: string, hashes: OtlpHashes): PprofItem {
  const payload = encodePprof(profile);
  return { labels, payload, id, payloadHash: hashes.add(labels, payload, profileId) };
}

/**
 * Names profiles of one request by their content.
 *
 * Of several that are equal in everything, their labels too, the second is another profile than the first: they are what
 * two scopes of one process said. The request sent again gives the same names.
 */
class OtlpHashes {
  readonly #counts = new Map<string, number>();

  add(labels: LabelSet, payload: Uint8Array, profileId: Uint8Array): Uint8Array {
    const content = createHash("sha256").update(profileId).update(payload).digest();
    const key = `${content.toString("base64")}${formatLabels(labels)}`;
    const count = this.#counts.get(key) ?? 0;
    this.#counts.set(key, count + 1);
    const named = count === 0 ? content : createHash("sha256").update(content).update(`${count}`).digest();
    return named.subarray(0, PAYLOAD_HASH_BYTES);
  }
}
