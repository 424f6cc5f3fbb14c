import { ReceiverError } from "../errors.ts";
import type { QueryLimits } from "./query-service.ts";

type NodeLimits = Pick<QueryLimits, "maxFlamegraphNodesDefault" | "maxFlamegraphNodesMax">;

/**
 * The most nodes an answer may have: what was asked for, or the default for absent and 0; 0 for "no limit", which
 * only an installation without a maximum has.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT when it is negative or above the maximum.
 */
export function resolveMaxNodes(asked: number | undefined, limits: NodeLimits): number {
  const { maxFlamegraphNodesDefault: fallback, maxFlamegraphNodesMax: max } = limits;
  if (asked === undefined || asked === 0) return fallback;
  if (max === 0) return Math.max(asked, 0);
  if (asked < 0) {
    throw new ReceiverError(`max flamegraph nodes limit must be set (max allowed ${max})`, {
      code: "INVALID_ARGUMENT",
    });
  }
  if (asked > max) {
    throw new ReceiverError(`max flamegraph nodes limit ${asked} is greater than allowed ${max}`, {
      code: "INVALID_ARGUMENT",
    });
  }
  return asked;
}
