import { describe, expect, it } from "vitest";
import { functionNames, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

// What a thread may be given, and what only V8 and a whole process have.
const FLAGS = ["--no-warnings", "--expose-gc", "--title=shop"];
const INHERITED = ["--unhandled-rejections=strict", ...FLAGS];

const run = (path: string, ...args: readonly string[]) =>
  runProgram(path, [...FLAGS, fixturePath("sdk-worker-threads.mjs"), ...args]).result;

describe.for(allNodes)("worker threads of a program that calls start(): Node $major", ({ path }) => {
  it("are profiled and labelled, and run as they do without", async () => {
    await withReceiver(async (receiver) => {
      const { code, stdout, stderr } = await run(path, receiver.url);

      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const state = { state: "running", warnings: [] };
      const off = { state: "off", execArgv: INHERITED };
      expect(JSON.parse(stdout)).toEqual({
        inherited: {
          ...state,
          execArgv: INHERITED,
          nested: expect.objectContaining(off),
          child: off,
        },
        own: expect.objectContaining(state),
        evaluated: "running",
        refusal: "ERR_WORKER_INVALID_EXEC_ARGV",
        isReplaced: true,
        isRestored: true,
      });
      const labelsOf = (name: string) =>
        receiver.profiles().find((profile) => functionNames([profile], "wall").has(name))?.labels;
      expect(labelsOf("burnInWorker")).toMatchObject({
        service_name: "main",
        thread_id: expect.stringMatching(/^\d+$/),
      });
      expect(labelsOf("burnInOwn")).toMatchObject({ service_name: "own" });
      expect(labelsOf("burnInNested")).toBeUndefined();
    });
  });
});
