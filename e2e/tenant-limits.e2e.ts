import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { encodePprof } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  makeDataDirectory,
  type ReceiverProcess,
  runReceiver,
  startReadyReceiver,
} from "./harness/receiver-process.ts";

let data: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess | undefined;

beforeEach(async () => {
  data = await makeDataDirectory();
});

afterEach(async () => {
  await receiver?.stop();
  receiver = undefined;
  await data.remove();
});

async function start(...flags: readonly string[]): Promise<ReceiverProcess> {
  receiver = await startReadyReceiver({
    directory: join(data.path, "data"),
    flags: ["--log-level", "error", "--auth.multitenancy-enabled", ...flags],
  });
  return receiver;
}

const post = (
  path: string,
  tenant: string,
  body: string | Buffer<ArrayBuffer>,
  headers: Record<string, string> = {},
) =>
  fetch(`${receiver?.address}${path}`, {
    method: "POST",
    headers: { "x-scope-orgid": tenant, ...headers },
    body,
  });

/** Pushes one profile of a service; the status of the answer. */
async function push(tenant: string, service: string): Promise<number> {
  const now = Date.now();
  const payload = encodePprof(profileFromText("main", { timeUnixNanos: BigInt(now) * 1_000_000n }));
  return (await post(`/ingest?name=${service}&format=pprof&from=${now}`, tenant, Buffer.from(payload)))
    .status;
}

/** Whether the last reading of the overrides went well: "1" or "0". */
async function reloaded(): Promise<string | undefined> {
  const text = await (await fetch(`${receiver?.address}/metrics`)).text();
  return /^pyroscope_runtime_config_last_reload_successful (\d)$/m.exec(text)?.[1];
}

async function callSettings(method: string, tenant: string, message: object): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const path = `/settings.v1.SettingsService/${method}`;
  return await (await post(path, tenant, JSON.stringify(message), headers)).json();
}

describe("limits of single tenants", () => {
  it("refuse a query whose memory is above them, and no other", async () => {
    const file = join(data.path, "limits.yaml");
    await writeFile(file, "overrides: { small: { max_query_memory_mb: 0.0001 } }\n");
    await start("--runtime-config.file", file);
    expect([await push("small", "a"), await push("large", "a")]).toEqual([200, 200]);
    const ask = async (tenant: string) => {
      const query = encodeURIComponent("process_cpu:samples:count::{}");
      const headers = { "x-scope-orgid": tenant };
      const response = await fetch(`${receiver?.address}/render?query=${query}&from=now-1h`, { headers });
      return { status: response.status, text: await response.text() };
    };

    expect((await ask("large")).status).toBe(200);
    const refused = await ask("small");
    expect(refused.status).toBe(400);
    expect(refused.text).toMatch(
      /the query exceeds the memory limit \(max_query_memory_mb, estimate: [\d.]+, limit: [\d.e-]+\)/,
    );
  });

  it("follow the file while the server runs, and keep to the last one that could be used", async () => {
    const file = join(data.path, "limits.yaml");
    await writeFile(file, "overrides: { small: { max_global_series_per_tenant: 1 } }\n");
    await start("--runtime-config.file", file, "--runtime-config.reload-period", "50ms");
    expect([await push("small", "a"), await push("small", "b")]).toEqual([200, 429]);
    expect([await push("large", "a"), await push("large", "b")]).toEqual([200, 200]);

    await writeFile(file, "overrides: { small: { no_such_limit: 1 } }\n");
    await expect.poll(reloaded, { timeout: 20_000 }).toBe("0");
    expect(await push("small", "b")).toBe(429);
    await writeFile(file, "overrides: { small: { max_global_series_per_tenant: 2 } }\n");
    await expect.poll(reloaded, { timeout: 20_000 }).toBe("1");

    expect([await push("small", "b"), await push("small", "c")]).toEqual([200, 429]);
    const doctor = await (
      await fetch(`${receiver?.address}/api/v1/doctor`, { headers: { "x-scope-orgid": "small" } })
    ).json();
    expect(doctor).toMatchObject({ tenants: [{ tenant: "small", findings: [{ reason: "series_limit" }] }] });
  });

  it("follow what a server hands out, and keep to the last of it while it does not answer", async () => {
    let answer = { status: 200, text: "overrides: { small: { max_global_series_per_tenant: 1 } }" };
    const server = createServer((_request, response) => response.writeHead(answer.status).end(answer.text));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/limits.yaml`;
    await start("--runtime-config.file", url, "--runtime-config.reload-period", "50ms");
    expect([await push("small", "a"), await push("small", "b")]).toEqual([200, 429]);

    answer = { status: 503, text: "overrides: {}" };
    await expect.poll(reloaded, { timeout: 20_000 }).toBe("0");
    expect(await push("small", "b")).toBe(429);
    answer = { status: 200, text: "overrides: { small: { max_global_series_per_tenant: 2 } }" };
    await expect.poll(reloaded, { timeout: 20_000 }).toBe("1");

    expect([await push("small", "b"), await push("small", "c")]).toEqual([200, 429]);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("stop the start when they cannot be read", async () => {
    const file = join(data.path, "limits.yaml");
    await writeFile(file, "overrides: { a: { max_query_length: long } }\n");
    const args = ["server", "--api-bind-addr", "127.0.0.1:0", "--storage-path", join(data.path, "data")];

    const result = await runReceiver([...args, "--runtime-config.file", file]).result;

    expect(result.code).toBe(2);
    expect(result.stderr).toContain('overrides.a.max_query_length="long": expected a duration');
  });
});

describe("settings of pages", () => {
  it("are there after the server was killed, for the tenant that set them", async () => {
    await start();
    const setting = { name: "pluginSettings", value: "{}", modifiedAt: "5" };
    expect(await callSettings("Set", "a", { setting })).toEqual({ setting });

    await receiver?.stop("SIGKILL");
    await start();

    expect(await callSettings("Get", "a", {})).toEqual({ settings: [setting] });
    expect(await callSettings("Get", "b", {})).toEqual({});
  });
});
