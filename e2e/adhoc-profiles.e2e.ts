import { gzipSync } from "node:zlib";
import { encodePprof } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

let data: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess | undefined;

beforeEach(async () => {
  data = await makeDataDirectory();
});

afterEach(async () => {
  await receiver?.stop("SIGKILL");
  await data.remove();
});

async function start(): Promise<void> {
  const flags = ["--log-level", "error", "--auth.multitenancy-enabled"];
  receiver = await startReadyReceiver({ directory: data.path, flags });
}

async function call(method: string, message: object, tenant = "shop") {
  const response = await fetch(`${receiver?.address}/adhocprofiles.v1.AdHocProfileService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-scope-orgid": tenant },
    body: JSON.stringify(message),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

async function upload(value: number) {
  const pprof = gzipSync(encodePprof(profileFromText("main\nhandle", { values: [value] })));
  return await call("Upload", { name: "cpu.pb.gz", profile: pprof.toString("base64") });
}

it("keeps uploaded files over a kill, for their tenant alone, and compares them", {
  timeout: 60_000,
}, async () => {
  await start();
  const before = await upload(3);
  const after = await upload(5);
  expect([before.status, after.status]).toEqual([200, 200]);
  expect(JSON.parse(before.body.flamebearerProfile ?? "").flamebearer).toMatchObject({
    names: ["total", "main", "handle"],
    numTicks: 3,
  });

  await receiver?.stop("SIGKILL");
  await start();

  expect(await call("Get", { id: before.body.id })).toEqual(before);
  expect((await call("List", {})).body.profiles).toMatchObject([
    { id: after.body.id },
    { id: before.body.id },
  ]);
  const ids = { leftId: before.body.id, rightId: after.body.id };
  const laid = JSON.parse((await call("Diff", ids)).body.flamebearerProfile ?? "");
  expect(laid).toMatchObject({ leftTicks: 3, rightTicks: 5 });
  expect((await call("List", {}, "other")).body).toEqual({});
  expect((await call("Get", { id: before.body.id }, "other")).status).toBe(404);
  expect((await call("Diff", ids, "other")).status).toBe(404);
});
