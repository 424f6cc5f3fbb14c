import { hash } from "node:crypto";
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
  return sha256(inflated).subarray(0, PAYLOAD_HASH_BYTES);
}

/** The half of an identity that all profiles of one payload share: time and content. */
export function identifyPayload(timeUnixNanos: bigint, payloadHash: Uint8Array): bigint {
  return firstHalf(Buffer.concat([Buffer.from(`${timeUnixNanos} `), payloadHash]));
}

/**
 * Names one stored profile by what it is: tenant, final labels, time and content. A push that is sent again gets
 * the identity it had, and counts once.
 *
 * The half of the labels is equal for all profiles of a series, that of the payload for all series of a push: in a block
 * an identity takes a quarter of its 16 bytes then, of which there are two for each profile.
 *
 * @param labels - sorted.
 * @param payload - of {@link identifyPayload}.
 */
export function identifyProfile(tenant: string, labels: LabelSet, payload: bigint): ProfileIdentity {
  // JSON keeps the parts apart: no value can look like the end of one and the begin of the next.
  const parts = JSON.stringify([tenant, labels.map(({ name, value }) => [name, value])]);
  return { hi: firstHalf(parts), lo: payload };
}

function firstHalf(content: string | Uint8Array): bigint {
  return sha256(content).readBigUInt64BE(0);
}

/** In one call: the object of `createHash` costs more than what it does for a few bytes. */
function sha256(content: string | Uint8Array): Buffer {
  return hash("sha256", content, "buffer");
}
