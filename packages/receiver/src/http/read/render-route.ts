import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../../clock.ts";
import type { Answer, ExportFormat, QueryOptions, QueryService } from "../../query/query-service.ts";
import { clientSignal } from "../port/client-signal.ts";
import { getRequestContext } from "../request-context.ts";
import { answerHeaders } from "./answer-headers.ts";
import { timelineGrid, toGroups, toRenderJson, toTimeline } from "./render-route-json.ts";
import {
  firstValue,
  parseAggregation,
  parseRenderFormat,
  parseRenderSelection,
  type RenderSelection,
  SINGLE_SIDE,
  type UrlParameters,
} from "./render-route-query.ts";

/** What the REST routes of reads work with. */
export interface RenderRouteOptions {
  readonly queries: QueryService;
  readonly clock: Pick<Clock, "nowUnixMillis">;
}

type RenderRequest = FastifyRequest<{ Querystring: UrlParameters }>;

/** `GET /render`: one flame graph with its timeline, or its stacks as a file. */
export const renderRoute: FastifyPluginAsync<RenderRouteOptions> = async (app, { queries, clock }) => {
  for (const path of ["/render", "/pyroscope/render"]) {
    app.get(path, async (request: RenderRequest, reply) => {
      const { tenants } = getRequestContext(request);
      const format = parseRenderFormat(request.query);
      const selection = parseRenderSelection(request.query, SINGLE_SIDE, tenants, clock.nowUnixMillis());
      const options = { signal: clientSignal(reply) };
      return format === "json"
        ? await sendJson(reply, queries, selection, request.query, options)
        : await sendFile(reply, queries, selection, format, options);
    });
  }
};

async function sendJson(
  reply: FastifyReply,
  queries: QueryService,
  { profileType, query }: RenderSelection,
  parameters: UrlParameters,
  options: QueryOptions,
): Promise<FastifyReply> {
  const grid = timelineGrid(query.startUnixMillis, query.endUnixMillis);
  const label = firstValue(parameters, "groupBy");
  const seriesQuery = {
    ...query,
    ...parseAggregation(parameters),
    // A range "from the beginning" is moved back to 1970 itself, and 0 would say that there is no range.
    startUnixMillis: grid.startMs || 1,
    endUnixMillis: grid.endMs || 1,
    stepMs: grid.stepSeconds * 1000,
  };
  const [tree, whole, grouped] = await Promise.all([
    queries.selectTree(query, options),
    queries.selectTimeSeries({ ...seriesQuery, groupBy: [] }, options),
    label === "" ? undefined : queries.selectTimeSeries({ ...seriesQuery, groupBy: [label] }, options),
  ]);
  setHeaders(reply, tree);
  const groups = grouped === undefined ? null : toGroups(grouped.value, label, grid);
  return reply.send(toRenderJson(tree.value, profileType, toTimeline(whole.value, grid), groups));
}

interface FileKind {
  readonly contentType: string;
  readonly suffix: string;
  readonly compression: "gzip" | "none";
}

const fileKinds: { readonly [K in ExportFormat]: FileKind } = {
  // Compressed is the form of a pprof file, not an encoding of the answer: every tool opens it as it was saved.
  pprof: { contentType: "application/octet-stream", suffix: "pb.gz", compression: "gzip" },
  collapsed: { contentType: "text/plain; charset=utf-8", suffix: "txt", compression: "none" },
  tree: { contentType: "application/vnd.pyroscope.tree", suffix: "tree", compression: "none" },
  dot: { contentType: "text/plain; charset=utf-8", suffix: "dot", compression: "none" },
  speedscope: { contentType: "application/json", suffix: "speedscope.json", compression: "none" },
};

async function sendFile(
  reply: FastifyReply,
  queries: QueryService,
  { profileType, query }: RenderSelection,
  format: ExportFormat,
  options: QueryOptions,
): Promise<FastifyReply> {
  const { contentType, suffix, compression } = fileKinds[format];
  const answer = await queries.exportStacks({ ...query, format, compression }, options);
  setHeaders(reply, answer);
  const stem = [profileType.sampleType, query.startUnixMillis, query.endUnixMillis].join("-");
  const fileName = `${stem.replaceAll(/[^\w.-]/g, "_")}.${suffix}`;
  return reply
    .type(contentType)
    .header("content-disposition", `attachment; filename="${fileName}"`)
    .send(Buffer.from(answer.value.buffer, answer.value.byteOffset, answer.value.byteLength));
}

/** Says in headers how complete an answer is. */
export function setHeaders(reply: FastifyReply, answer: Answer<unknown>): void {
  for (const [name, value] of answerHeaders(answer)) reply.header(name, value);
}
