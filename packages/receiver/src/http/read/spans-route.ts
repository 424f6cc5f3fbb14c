import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { formatTraceUrl } from "../../config/trace-url.ts";
import { ReceiverError } from "../../errors.ts";
import type { SpanTotal } from "../../query/query-service.ts";
import { clientSignal } from "../port/client-signal.ts";
import { getRequestContext } from "../request-context.ts";
import { type RenderRouteOptions, setHeaders } from "./render-route.ts";
import { firstValue, parseRenderSelection, SINGLE_SIDE, type UrlParameters } from "./render-route-query.ts";

/** What {@link spansRoute} works with. */
export interface SpansRouteOptions extends RenderRouteOptions {
  /** See `traceUrl`; undefined: traces are not linked to. */
  readonly traceUrl: string | undefined;
}

type SpansRequest = FastifyRequest<{ Querystring: UrlParameters }>;

/**
 * `GET /api/v1/spans`: which spans the samples of a range belong to, the largest first, by name of span as well, and how
 * much belongs to none. Parameters as of `/render`; `function` narrows to samples that have it on their stack.
 */
export const spansRoute: FastifyPluginAsync<SpansRouteOptions> = async (
  app,
  { queries, clock, traceUrl },
) => {
  app.get("/api/v1/spans", async (request: SpansRequest, reply) => {
    const { tenants } = getRequestContext(request);
    const { query } = parseRenderSelection(request.query, SINGLE_SIDE, tenants, clock.nowUnixMillis());
    const functionName = firstValue(request.query, "function") || undefined;
    const limit = parseLimit(firstValue(request.query, "limit"));
    const answer = await queries.selectSpans(
      { ...query, functionName, limit },
      { signal: clientSignal(reply) },
    );
    setHeaders(reply, answer);
    const { total, spanTotal, spanCount, names, spans } = answer.value;
    // int64 as text, as Connect has it.
    return reply.send({
      total: String(total),
      spanTotal: String(spanTotal),
      spanCount,
      names: names.map((name) => ({ ...name, total: String(name.total) })),
      spans: spans.map((span) => ({
        ...span,
        total: String(span.total),
        traceUrl: toTraceUrl(traceUrl, span),
      })),
    });
  });
};

function toTraceUrl(template: string | undefined, span: SpanTotal): string | undefined {
  if (template === undefined || span.traceId === "") return undefined;
  const { traceId, spanId, service, firstUnixMillis, lastUnixMillis } = span;
  return formatTraceUrl(template, {
    traceId,
    spanId,
    service,
    from: String(firstUnixMillis),
    until: String(lastUnixMillis),
  });
}

function parseLimit(text: string): number | undefined {
  if (text === "") return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ReceiverError(`limit=${JSON.stringify(text)}: expected a whole number`, {
    code: "INVALID_ARGUMENT",
  });
}
