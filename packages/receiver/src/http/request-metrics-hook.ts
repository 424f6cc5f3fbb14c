import type { FastifyInstance } from "fastify";
import type { MetricSet } from "../telemetry/metrics.ts";

/**
 * Measures every request until its response is closed, Connect's and aborted ones included.
 *
 * The route is the one that was matched, in Pyroscope's spelling, so that clients cannot make new series by their URLs.
 */
export function addRequestMetrics(app: FastifyInstance, metrics: MetricSet): void {
  app.addHook("onRequest", async (request, reply) => {
    const labels = { method: request.method, route: routeLabelOf(request.routeOptions.url) };
    const stop = metrics.requestDuration.startTimer(labels);
    metrics.inflightRequests.inc(labels);
    let isAnswered = false;
    reply.raw.once("finish", () => {
      isAnswered = true;
    });
    reply.raw.once("close", () => {
      metrics.inflightRequests.dec(labels);
      // 499 is nginx's word for a client that left before it had its answer.
      stop({ status_code: isAnswered ? reply.raw.statusCode : 499 });
    });
  });
}

/** Labels of routes, by path: there are as many as routes. */
const routeLabels = new Map<string, string>();

function routeLabelOf(path: string | undefined): string {
  if (path === undefined) return "not_found";
  let label = routeLabels.get(path);
  if (label === undefined) {
    label = toRouteLabel(path);
    routeLabels.set(path, label);
  }
  return label;
}

/** `/push.v1.PusherService/Push` → `push_v1_pusherservice_push`, as Pyroscope's middleware spells it. */
function toRouteLabel(path: string): string {
  const label = path
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_|_$/g, "");
  return label === "" ? "root" : label;
}
