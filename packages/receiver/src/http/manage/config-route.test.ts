import { describe, expect, it } from "vitest";
import { settingRows } from "../../config.ts";
import { createTestApp, TOKENS } from "../../testing/create-test-app.ts";

async function get(path: string, flags: Readonly<Record<string, string>> = {}) {
  const { app } = await createTestApp({ flags });
  const headers = { authorization: "Bearer read-token" };
  return await app.inject({ url: path, headers });
}

describe("GET /api/v1/status/config", () => {
  it("has every setting with its value, and no secret", async () => {
    const { body, headers } = await get("/api/v1/status/config", {
      "auth-token": TOKENS,
      "storage.s3.access-key-id": "key",
      "storage.s3.secret-access-key": "secret-key",
      "max-query-length": "1d",
      "base-url": "/profiles",
    });

    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(body).toContain('\n  base_url: "/profiles"\n');
    expect(body).toContain('\n  max_query_length: "1d"\n');
    expect(body).toContain("\n  max_label_names_per_series: 30\n");
    expect(body).not.toContain("read-token");
    expect(body).not.toContain("secret-key");
    expect(body.match(/^ {2}\S/gm)).toHaveLength(settingRows.length);
    expect(body.match(/^\S.*$/gm)).toEqual(["server:", "storage:", "query:", "limits:"]);
  });

  it("has only what was changed at /diff, and the defaults at /default", async () => {
    const flags = { "max-label-names-per-series": "40" };

    expect((await get("/api/v1/status/config/diff", flags)).body).toBe(
      "limits:\n  max_label_names_per_series: 40\n",
    );
    expect((await get("/api/v1/status/config/diff")).body).toBe("{}\n");
    expect((await get("/api/v1/status/config/default", flags)).body).toContain(
      "max_label_names_per_series: 30\n",
    );
  });
});
