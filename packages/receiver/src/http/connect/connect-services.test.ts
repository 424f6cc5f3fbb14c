import { describe, expect, it } from "vitest";
import type { Readiness } from "../../readiness.ts";
import { createTestApp, type TestOptions, TOKENS } from "../../testing/create-test-app.ts";
import { missingServices } from "../missing-services.ts";

async function call(path: string, message: object = {}, options: TestOptions = {}) {
  const { app } = await createTestApp(options);
  const response = await app.inject({
    method: "POST",
    url: path,
    headers: { "content-type": "application/json" },
    payload: JSON.stringify(message),
  });
  return { status: response.statusCode, body: response.json() };
}

describe("grpc.health.v1", () => {
  const path = "/grpc.health.v1.Health/Check";

  it("serves while the server is ready, to anyone", async () => {
    const answer = await call(path, {}, { flags: { "auth-token": TOKENS } });

    expect(answer).toEqual({ status: 200, body: { status: "SERVING" } });
  });

  it("answers for a service by its full name, and not found for one that is not here", async () => {
    expect((await call(path, { service: "push.v1.PusherService" })).body).toEqual({ status: "SERVING" });
    expect(await call(path, { service: "x" })).toEqual({
      status: 404,
      body: { code: "not_found", message: 'unknown service "x"' },
    });
  });

  it("does not serve for the reasons that /ready gives", async () => {
    const readiness: Partial<Readiness> = { reasons: ["storage: the disk does not take writes"] };

    expect((await call(path, {}, { readiness })).body).toEqual({ status: "NOT_SERVING" });
  });
});

describe("facts of the server", () => {
  it("names the interface of its querier", async () => {
    expect(await call("/version.v1.Version/Version")).toEqual({ status: 200, body: { QuerierAPI: "1" } });
  });

  it("names its build, as the REST route does", async () => {
    const { body } = await call("/status.v1.StatusService/GetBuildInfo");

    expect(body).toEqual({ status: "success", data: { version: "1.2.3" } });
  });

  it("tells each feature that clients ask after, on or off", async () => {
    const { body } = await call("/capabilities.v1.FeatureFlagsService/GetFeatureFlags");

    const flags = body.featureFlags.map((flag: { name: string; enabled?: boolean }) => [
      flag.name,
      flag.enabled ?? false,
    ]);
    expect(Object.fromEntries(flags)).toEqual({
      V2StorageLayer: true,
      PyroscopeRuler: true,
      PyroscopeRulerFunctions: true,
      UTF8LabelNames: true,
    });
  });
});

describe("services that are not here", () => {
  it.for(missingServices)("answers unimplemented with the reason on $path", async ({ path, reason }) => {
    const { status, body } = await call(path.replace("*", "GetFile"));

    expect(status).toBe(501);
    expect(body).toEqual({
      code: "unimplemented",
      message: `${path.slice(1, -2)} is not available: ${reason}`,
    });
  });

  it("answers an upload of a symbol file without reading it, and gRPC in its own form", async () => {
    const { app } = await createTestApp();

    const upload = await app.inject({
      method: "POST",
      url: "/debuginfo.v1alpha1.DebuginfoService/Upload/abcdef",
      headers: { "content-type": "application/octet-stream" },
      payload: Buffer.alloc(1000),
    });
    const grpc = await app.inject({
      method: "POST",
      url: "/vcs.v1.VCSService/GetFile",
      headers: { "content-type": "application/grpc" },
      payload: Buffer.alloc(5),
    });

    expect(upload.statusCode).toBe(501);
    expect([grpc.statusCode, grpc.headers["grpc-status"]]).toEqual([200, "12"]);
  });
});
