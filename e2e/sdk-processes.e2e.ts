import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

describe.for(allNodes)("threads and processes on Node $major", ({ major, path }) => {
  it("are told apart by labels and sessions; a worker thread has the options of the main thread", async () => {
    await withReceiver(async (receiver) => {
      const args = [fixturePath("sdk-processes.mjs"), receiver.url];
      const { code, stderr } = await runProgram(path, args, { GIT_COMMIT: "abc123" }).result;

      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const labelSets = receiver
        .profiles()
        .filter(({ labels }) => labels.__name__ === "wall")
        .map(({ labels }) => labels);
      const main = labelSets.filter((labels) => labels.service_name === "main");
      const [thread] = main.filter((labels) => labels.thread_id !== undefined);
      const [mainThread] = main.filter((labels) => labels.thread_id === undefined);
      expect(mainThread).toMatchObject({ region: "eu", hostname: "mine", service_git_ref: "abc123" });
      // Older Nodes do not tell a thread its name.
      const threadName = Number(major) >= 24 ? "resize" : thread?.thread_name;
      expect(thread).toMatchObject({ region: "eu", thread_id: expect.stringMatching(/^\d+$/) });
      expect(thread?.thread_name).toBe(threadName);
      const forked = labelSets.filter((labels) => labels.service_name === "forked");
      expect(new Set(forked.map((labels) => labels.cluster_worker))).toEqual(new Set(["1", "2"]));
      expect(forked[0]).toMatchObject({ hostname: hostname() });
      const sessions = [mainThread, thread, ...forked].map((labels) => labels?.__session_id__);
      expect(new Set(sessions).size).toBe(4);
    });
  });
});
