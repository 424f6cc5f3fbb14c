import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";
import { fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-remote-capture.mjs");
let directory: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess;

beforeAll(async () => {
  directory = await makeDataDirectory();
  const flags = ["--auth-token", "push=push-token,read=read-token,admin=admin-token"];
  receiver = await startReadyReceiver({ directory: directory.path, flags });
});

afterAll(async () => {
  await receiver.stop();
  await directory.remove();
});

const order = (kind: string, token: string) =>
  fetch(`${receiver.address}/api/v1/captures`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ service: "captured", kind, seconds: 1 }),
  });

/** The collapsed stacks of a profile type with the label of an order. */
async function stacksOf(type: string, id: string): Promise<string> {
  const query = encodeURIComponent(`${type}{capture="${id}"}`);
  const response = await fetch(`${receiver.address}/render?query=${query}&from=now-1h&format=collapsed`, {
    headers: { authorization: "Bearer read-token" },
  });
  return response.status === 200 ? await response.text() : "";
}

/** Waits for the stacks of an order; undefined when a starved process had nothing to show in its second. */
async function waitForStacks(type: string, id: string): Promise<string | undefined> {
  const deadlineMs = performance.now() + 15_000;
  while (performance.now() < deadlineMs) {
    const stacks = await stacksOf(type, id);
    if (stacks.includes("work")) return stacks;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return undefined;
}

describe("a capture that is ordered at the receiver", () => {
  it("is for admins only", async () => {
    expect((await order("cpu", "read-token")).status).toBe(403);
    expect((await order("cpu", "push-token")).status).toBe(403);
  });

  it.for([
    { kind: "cpu", type: "process_cpu:cpu:nanoseconds:cpu:nanoseconds" },
    { kind: "allocations", type: "memory:alloc_space:bytes:space:bytes" },
  ])(
    "brings profiles of $kind under its label from the process that takes orders",
    async ({ kind, type }) => {
      const deaf = runProgram(process.execPath, [program, receiver.address, "false"]);
      const running = runProgram(process.execPath, [program, receiver.address, "true"]);
      try {
        await Promise.all([deaf.waitForOutput("running"), running.waitForOutput("running")]);
        let id = "";
        let stacks: string | undefined;
        for (let orderCount = 0; stacks === undefined && orderCount < 3; orderCount++) {
          const response = await order(kind, "admin-token");
          expect(response.status).toBe(202);
          ({ id } = (await response.json()) as { readonly id: string });
          stacks = await waitForStacks(type, id);
        }

        expect(stacks).toContain("work");
        for (const { process: child } of [deaf, running]) child.kill("SIGTERM");
        expect((await running.result).stderr).toContain(`capture=${id}`);
        expect((await deaf.result).stderr).not.toContain("capture=");
      } finally {
        for (const { process: child } of [deaf, running]) child.kill("SIGKILL");
      }
    },
  );
});
