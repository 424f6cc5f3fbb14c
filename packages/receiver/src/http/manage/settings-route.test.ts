import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SettingsFiles } from "../../settings/settings-files.ts";
import { nodeFs } from "../../store/node-fs.ts";
import { createTestApp, type TestApp } from "../../testing/create-test-app.ts";

let directory: string;
let server: TestApp;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-settings-"));
  const files = new SettingsFiles({ fs: nodeFs, directory });
  server = await createTestApp({
    flags: { "auth.multitenancy-enabled": "true" },
    storage: {
      listSettings: (query) => files.listSettings(query),
      setSetting: (command) => files.setSetting(command),
      deleteSetting: (command) => files.deleteSetting(command),
    },
  });
});

afterEach(async () => {
  await server.app.close();
  await rm(directory, { recursive: true });
});

async function call(method: string, message: object, tenant = "a") {
  const response = await server.app.inject({
    method: "POST",
    url: `/settings.v1.SettingsService/${method}`,
    headers: { "content-type": "application/json", "x-scope-orgid": tenant },
    payload: JSON.stringify(message),
  });
  return { status: response.statusCode, body: response.json() };
}

describe("settings.v1", () => {
  it("gives back what was set, for each tenant apart, until it is deleted", async () => {
    const setting = { name: "pluginSettings", value: '{"x":1}', modifiedAt: "5" };

    expect(await call("Set", { setting })).toEqual({ status: 200, body: { setting } });
    expect(await call("Get", {})).toEqual({ status: 200, body: { settings: [setting] } });
    expect(await call("Get", {}, "b")).toEqual({ status: 200, body: {} });
    expect(await call("Delete", { name: "pluginSettings" })).toEqual({ status: 200, body: {} });
    expect(await call("Get", {})).toEqual({ status: 200, body: {} });
  });

  it("takes a setting without a time for one of now", async () => {
    const { body } = await call("Set", { setting: { name: "x", value: "1" } });

    expect(body.setting.modifiedAt).toBe("1700000000000");
  });

  it.for([
    [{ setting: { name: "x", modifiedAt: 4 } }, "a", 409, "already_exists"],
    [{}, "a", 400, "invalid_argument"],
    [{ setting: { name: "" } }, "a", 400, "invalid_argument"],
    [{ setting: { name: "y" } }, "a|b", 400, "invalid_argument"],
  ] as const)("refuses %j of tenant %s with %i", async ([message, tenant, status, code]) => {
    await call("Set", { setting: { name: "x", modifiedAt: 5 } });

    const answer = await call("Set", message, tenant);

    expect(answer).toMatchObject({ status, body: { code } });
  });
});
