import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { clientSignal } from "../port/client-signal.ts";
import { getRequestContext } from "../request-context.ts";
import { type RenderRouteOptions, setHeaders } from "./render-route.ts";
import { firstValue, parseOpenRange, SINGLE_SIDE, type UrlParameters } from "./render-route-query.ts";

type CardinalityRequest = FastifyRequest<{ Querystring: UrlParameters }>;

/**
 * `GET /api/v1/cardinality`: how many series there are, and which labels make them so many. `query` narrows by a
 * selector; without `from` the hour before `until`.
 */
export const cardinalityRoute: FastifyPluginAsync<RenderRouteOptions> = async (app, { queries, clock }) => {
  app.get("/api/v1/cardinality", async (request: CardinalityRequest, reply) => {
    const selector = firstValue(request.query, "query");
    const query = {
      ...parseOpenRange(request.query, SINGLE_SIDE, clock.nowUnixMillis()),
      tenants: getRequestContext(request).tenants,
      selectors: selector === "" ? [] : [selector],
    };
    const answer = await queries.cardinality(query, { signal: clientSignal(reply) });
    setHeaders(reply, answer);
    return reply.send(answer.value);
  });
};
