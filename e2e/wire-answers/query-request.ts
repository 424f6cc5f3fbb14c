import { NOW_MS, pprof, push, SHOP } from "./wire-payloads.ts";
import type { WireAnswer, WireServer } from "./wire-row.ts";

/** The type of what {@link pushShop} pushes. */
export const TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
/** Around it. */
export const RANGE: { readonly start: number; readonly end: number } = {
  start: NOW_MS - 60_000,
  end: NOW_MS + 60_000,
};
/** All of it. */
export const SELECTION: {
  readonly start: number;
  readonly end: number;
  readonly profileTypeID: string;
  readonly labelSelector: string;
} = { ...RANGE, profileTypeID: TYPE, labelSelector: "{}" };

/** Pushes what most queries of rows are about. */
export function pushShop(server: WireServer): Promise<WireAnswer> {
  return push(server, { ...SHOP, "otel.scope.name": "sdk", env: "prod" }, pprof());
}

/** A call of a method of `querier.v1`. */
export const query =
  (method: string, message: object, headers: Readonly<Record<string, string>> = {}) =>
  (server: WireServer): Promise<WireAnswer> =>
    server.call(`querier.v1.QuerierService/${method}`, message, headers);

/** What a row says of a query that is refused. */
export function refused<Text extends string | RegExp>(text: Text) {
  return { status: 400, code: "invalid_argument", text };
}

/** What a row says of a query that is answered; undefined: anything. */
export function ok(text?: string | RegExp): { readonly status: number; readonly text?: string | RegExp } {
  return text === undefined ? { status: 200 } : { status: 200, text };
}
