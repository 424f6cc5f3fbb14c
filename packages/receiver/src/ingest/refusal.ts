import { type DiscardReason, discardReasons } from "./discard-reasons.ts";
import type { PushItemRefused } from "./push-service.ts";

/**
 * Why a profile is not stored. A value, not an error: refusing is part of the normal life of a server that faces
 * a network. What can refuse returns `Value | Refusal`; `instanceof` tells them apart.
 */
export class Refusal {
  readonly reason: DiscardReason;
  /** For the client: what is wrong, the offending value, the limit. */
  readonly message: string;

  /** When it is worth trying again, if that helps. */
  readonly retryAfterSeconds: number | undefined;

  /** The payload is not what it was sent as, so that nothing else about it was looked at. */
  readonly isUndecodable: boolean;

  constructor(reason: DiscardReason, message: string, options: RefusalOptions = {}) {
    this.reason = reason;
    this.message = message;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.isUndecodable = options.isUndecodable ?? false;
  }
}

interface RefusalOptions {
  readonly retryAfterSeconds?: number;
  /** Default: false. */
  readonly isUndecodable?: boolean;
}

/** Says to the pusher what was refused. */
export function toRefused(
  { reason, message, retryAfterSeconds, isUndecodable }: Refusal,
  { bytes }: { readonly bytes: number },
): PushItemRefused {
  return {
    ok: false,
    reason,
    code: discardReasons[reason].code,
    message,
    isUndecodable,
    bytes,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}
