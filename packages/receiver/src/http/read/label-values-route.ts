import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { ReceiverError } from "../../errors.ts";
import type { Answer, QueryService } from "../../query/query-service.ts";
import { clientSignal } from "../port/client-signal.ts";
import { getRequestContext } from "../request-context.ts";
import { type RenderRouteOptions, setHeaders } from "./render-route.ts";
import { firstValue, parseOpenRange, SINGLE_SIDE, type UrlParameters } from "./render-route-query.ts";

type LabelValuesRequest = FastifyRequest<{ Querystring: UrlParameters }>;

/**
 * `GET /label-values?label=`: the values of a label as a JSON array, and the ids of profile types for `__name__`.
 * `query` narrows by a selector; `null` where there are none, as Pyroscope answers.
 */
export const labelValuesRoute: FastifyPluginAsync<RenderRouteOptions> = async (app, { queries, clock }) => {
  for (const path of ["/label-values", "/pyroscope/label-values"]) {
    app.get(path, async (request: LabelValuesRequest, reply) => {
      const label = firstValue(request.query, "label");
      if (label === "") {
        throw new ReceiverError("label parameter is required", { code: "INVALID_ARGUMENT" });
      }
      const answer = await readValues(queries, request, label, clock.nowUnixMillis(), clientSignal(reply));
      setHeaders(reply, answer);
      const { value } = answer;
      return reply.type("application/json").send(JSON.stringify(value.length === 0 ? null : value));
    });
  }
};

async function readValues(
  queries: QueryService,
  request: LabelValuesRequest,
  label: string,
  nowUnixMillis: number,
  signal: AbortSignal,
): Promise<Answer<readonly string[]>> {
  const selector = firstValue(request.query, "query");
  const query = {
    ...parseOpenRange(request.query, SINGLE_SIDE, nowUnixMillis),
    tenants: getRequestContext(request).tenants,
    // `__name__` means profile types here: the label of that name holds a part of them only.
    name: label === "__name__" ? "__profile_type__" : label,
    selectors: selector === "" ? [] : [selector],
  };
  return await queries.labelValues(query, { signal });
}
