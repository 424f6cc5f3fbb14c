import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { ReceiverError } from "../../errors.ts";
import { clientSignal } from "../port/client-signal.ts";
import { getRequestContext } from "../request-context.ts";
import { type RenderRouteOptions, setHeaders } from "./render-route.ts";
import { toRenderDiffJson } from "./render-route-json.ts";
import {
  LEFT_SIDE,
  parseRenderFormat,
  parseRenderSelection,
  RIGHT_SIDE,
  type UrlParameters,
} from "./render-route-query.ts";

type DiffRequest = FastifyRequest<{ Querystring: UrlParameters }>;

/** `GET /render-diff`: two flame graphs of one profile type, laid over each other. */
export const renderDiffRoute: FastifyPluginAsync<RenderRouteOptions> = async (app, { queries, clock }) => {
  for (const path of ["/render-diff", "/pyroscope/render-diff"]) {
    app.get(path, async (request: DiffRequest, reply) => {
      const format = parseRenderFormat(request.query);
      if (format !== "json") throw invalid(`format ${format} is not available for a diff: it is always json`);
      const { tenants } = getRequestContext(request);
      const now = clock.nowUnixMillis();
      const left = parseRenderSelection(request.query, LEFT_SIDE, tenants, now);
      const right = parseRenderSelection(request.query, RIGHT_SIDE, tenants, now);
      if (left.profileType.id !== right.profileType.id) throw invalid("profile types must match");
      const answer = await queries.selectDiffTree(
        { left: left.query, right: right.query },
        { signal: clientSignal(reply) },
      );
      setHeaders(reply, answer);
      return reply.send(toRenderDiffJson(answer.value, left.profileType));
    });
  }
};

function invalid(message: string): ReceiverError {
  return new ReceiverError(message, { code: "INVALID_ARGUMENT" });
}
