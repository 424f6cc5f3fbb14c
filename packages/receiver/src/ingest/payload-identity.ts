import { createHash } from "node:crypto";
import type { LabelSet } from "@pyroscope-ts/protocol";
import type { ProfileIdentity } from "../store/admission.ts";

/** Length of {@link hashPayload}'s result, in bytes. */
export const PAYLOAD_HASH_BYTES = 16;

/**
 * Names the content of a payload: of the bytes after decompression, since a client that retries may compress anew.
 *
 * SHA-256, cut to 128 bits: profiles count as equal by this alone, so nobody may be able to make two that collide.
 */
export function hashPayload(inflated: Uint8Array): Uint8Array {
  return createHash("sha256").update(inflated).digest().subarray(0, PAYLOAD_HASH_BYTES);
}

/**
 * Names one stored profile by what it is: tenant, final labels, time and content. A push that is sent again gets
 * the identity it had, and counts once.
 *
 * @param labels - sorted.
 */
export function identifyProfile(
  tenant: string,
  labels: LabelSet,
  timeUnixNanos: bigint,
  payloadHash: Uint8Array,
): ProfileIdentity {
  const hash = createHash("sha256");
  // JSON keeps the parts apart: no value can look like the end of one and the begin of the next.
  hash.update(JSON.stringify([tenant, labels.map(({ name, value }) => [name, value]), `${timeUnixNanos}`]));
  const digest = hash.update(payloadHash).digest();
  return { hi: digest.readBigUInt64BE(0), lo: digest.readBigUInt64BE(8) };
}
