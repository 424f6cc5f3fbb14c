import type { FastifyInstance } from "fastify";
import type { Readiness } from "../../readiness.ts";

/** What `/api/v1/status/buildinfo` names: Grafana reads it to learn what it talks to. */
export interface BuildInfo {
  readonly version: string;
  /** Version of Node, where Pyroscope names Go's. */
  readonly nodeVersion: string;
}

/** Options of {@link addHealthRoutes}. */
export interface HealthRoutesOptions {
  readonly readiness: Readiness;
  readonly buildInfo: BuildInfo;
}

/**
 * `GET /ready`: 200 when everything acknowledged can be queried and writes are taken, else 503 with the reasons, one a line.
 * `GET /healthz`: 200 as long as the process answers. `GET /api/v1/status/buildinfo` in Pyroscope's form.
 */
export function addHealthRoutes(app: FastifyInstance, { readiness, buildInfo }: HealthRoutesOptions): void {
  app.get("/ready", async (_request, reply) => {
    const { reasons } = readiness;
    reply.type("text/plain; charset=utf-8");
    if (reasons.length === 0) return "ready\n";
    return reply.code(503).send(`not ready:\n${reasons.join("\n")}\n`);
  });

  app.get("/healthz", async (_request, reply) => reply.type("text/plain; charset=utf-8").send("ok\n"));

  app.get("/api/v1/status/buildinfo", async () => describeBuild(buildInfo));
}

/** The build in Pyroscope's form; what a program that is not compiled has nothing to say about is empty. */
export function describeBuild({ version, nodeVersion }: BuildInfo): BuildDescription {
  return {
    status: "success",
    data: {
      version,
      revision: "",
      branch: "",
      buildUser: "",
      buildDate: "",
      goVersion: "",
      nodeVersion,
    },
  };
}

/** Answer of `/api/v1/status/buildinfo`. */
interface BuildDescription {
  readonly status: "success";
  readonly data: {
    readonly version: string;
    readonly revision: string;
    readonly branch: string;
    readonly buildUser: string;
    readonly buildDate: string;
    readonly goVersion: string;
    readonly nodeVersion: string;
  };
}
