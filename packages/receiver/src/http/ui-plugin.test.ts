import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createTestApp } from "../testing/create-test-app.ts";

describe("addUi", () => {
  function buildUi(): string {
    const directory = mkdtempSync(join(tmpdir(), "receiver-ui-"));
    writeFileSync(join(directory, "index.html"), "<html><head><title>Profiles</title></head></html>");
    writeFileSync(join(directory, "favicon.svg"), "<svg/>");
    mkdirSync(join(directory, "assets"));
    writeFileSync(join(directory, "assets/index-1a2b.js"), "start();");
    return directory;
  }

  it("serves the page with its path prefix, never from a cache without asking", async () => {
    const { app } = await createTestApp({ uiDirectory: buildUi(), flags: { "base-url": "/profiles/" } });

    const response = await app.inject({ url: "/profiles/?page=diff" });

    expect(response.body).toBe('<html><head><base href="/profiles/"><title>Profiles</title></head></html>');
    expect(response.headers).toMatchObject({
      "cache-control": "no-cache",
      "content-type": "text/html; charset=utf-8",
    });
  });

  it("serves files of the build and nothing beside them", async () => {
    const { app } = await createTestApp({ uiDirectory: buildUi() });

    const icon = await app.inject({ url: "/favicon.svg" });
    const outside = await app.inject({ url: "/assets/..%2f..%2fetc%2fpasswd" });
    const missing = await app.inject({ url: "/assets/gone.js" });

    expect([icon.statusCode, icon.body, icon.headers["cache-control"]]).toEqual([
      200,
      "<svg/>",
      "public, max-age=3600",
    ]);
    expect([outside.statusCode, missing.statusCode]).toEqual([404, 404]);
  });

  it("says of a file what it is, that it does not change, and once that it has not", async () => {
    const { app } = await createTestApp({ uiDirectory: buildUi() });
    const url = "/assets/index-1a2b.js?again";

    const first = await app.inject({ url });
    const again = await app.inject({ url, headers: { "if-none-match": String(first.headers.etag) } });
    const head = await app.inject({ url, method: "HEAD" });

    expect([first.statusCode, first.body, first.headers]).toMatchObject([
      200,
      "start();",
      {
        "cache-control": "public, max-age=31536000, immutable",
        "content-type": "text/javascript; charset=utf-8",
        "content-length": "8",
      },
    ]);
    expect([again.statusCode, again.body]).toEqual([304, ""]);
    expect([head.statusCode, head.body, head.headers["content-length"]]).toEqual([200, "", "8"]);
  });

  it("says so when it is not built", async () => {
    const { app } = await createTestApp();

    const response = await app.inject({ url: "/" });

    expect([response.statusCode, response.json().message]).toEqual([
      404,
      "the web UI is not built: run `npm run setup`",
    ]);
  });

  it("serves Connect under the path prefix too", async () => {
    const { app, asked } = await createTestApp({ flags: { "base-url": "/profiles" } });

    const response = await app.inject({
      method: "POST",
      url: "/profiles/querier.v1.QuerierService/LabelNames",
      headers: { "content-type": "application/json" },
      payload: "{}",
    });

    expect(response.json()).toEqual({ names: ["service_name"] });
    expect(asked).toHaveLength(1);
  });

  it.for([
    ["/profiles/healthz", 200],
    ["/healthz", 200],
    ["/profiles", 404],
    ["/profilesx/healthz", 404],
  ] as const)("answers %s with %i under the path prefix /profiles", async ([url, status]) => {
    const { app } = await createTestApp({ flags: { "base-url": "/profiles" } });

    expect((await app.inject({ url })).statusCode).toBe(status);
  });
});
