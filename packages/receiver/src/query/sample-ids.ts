import { ReceiverError } from "../errors.ts";
import type { SelectionQuery } from "./query-service.ts";

/** The ids that narrow a selection, as columns have them; absent: not narrowed. */
export interface SampleIds {
  readonly profileIds?: readonly string[];
  readonly spanIds?: BigUint64Array;
  readonly traceIds?: readonly string[];
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const HEX = /^[0-9a-f]+$/i;

/**
 * Reads the profile, span and trace ids of a query. An empty list narrows nothing.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT for an id of the wrong form, and for span and trace ids together,
 * which Pyroscope refuses as well.
 */
export function parseSampleIds(
  query: Pick<SelectionQuery, "profileIds" | "spanIds" | "traceIds">,
): SampleIds {
  const { profileIds = [], spanIds = [], traceIds = [] } = query;
  if (spanIds.length > 0 && traceIds.length > 0) {
    throw invalid("span_selector and trace_id_selector cannot be combined");
  }
  return {
    ...(profileIds.length > 0 && { profileIds: profileIds.map(checkProfileId) }),
    ...(spanIds.length > 0 && { spanIds: BigUint64Array.from(spanIds, parseSpanId) }),
    ...(traceIds.length > 0 && { traceIds: traceIds.map(parseTraceId) }),
  };
}

function checkProfileId(text: string): string {
  if (!UUID.test(text)) throw invalid(`invalid profile id: ${JSON.stringify(text)}`);
  return text;
}

function parseSpanId(text: string): bigint {
  checkHex("span", text, 16);
  return BigInt(`0x${text}`);
}

/** DuckDB reads 32 hexadecimal digits as a UUID, with or without hyphens. */
function parseTraceId(text: string): string {
  checkHex("trace", text, 32);
  return text;
}

function checkHex(kind: "span" | "trace", text: string, digits: number): void {
  if (text.length !== digits) throw invalid(`invalid ${kind} id length: ${JSON.stringify(text)}`);
  if (!HEX.test(text)) throw invalid(`invalid ${kind} id: ${JSON.stringify(text)}`);
}

function invalid(message: string): ReceiverError {
  return new ReceiverError(message, { code: "INVALID_ARGUMENT" });
}
