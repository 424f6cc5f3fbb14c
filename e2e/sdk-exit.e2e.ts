import { describe, expect, it } from "vitest";
import { functionNames, startFakeReceiver, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-exit.mjs");

const endings = [
  { ending: "natural", code: 0, signal: null },
  { ending: "exit", code: 3, signal: null },
  { ending: "exit-in-exit", code: 4, signal: null },
  { ending: "throw", code: 1, signal: null },
  { ending: "reject", code: 1, signal: null },
  { ending: "SIGTERM", code: null, signal: "SIGTERM" },
  { ending: "SIGINT", code: null, signal: "SIGINT" },
  { ending: "own-handler", code: 7, signal: null },
  { ending: "stop-and-exit", code: 5, signal: null },
] as const;

describe.for(allNodes)("the last window on Node $major", ({ path }) => {
  it.for(endings)("arrives when the program ends by $ending, once", async ({ ending, code, signal }) => {
    await withReceiver(async (receiver) => {
      // Generous: a slow machine is not the matter here.
      const result = await runProgram(path, [program, ending, receiver.url, "30s"]).result;

      expect(result).toMatchObject({ code, signal });
      expect(functionNames(receiver.profiles(), "wall")).toContain("burnLast");
      expect(receiver.requests).toHaveLength(1);
    });
  });

  it.for(endings.filter(({ ending }) => ["natural", "throw", "SIGTERM", "own-handler"].includes(ending)))(
    "does not hold a program that ends by $ending when the server hangs",
    async ({ ending, code, signal }) => {
      const receiver = await startFakeReceiver(() => {});
      try {
        const result = await runProgram(path, [program, ending, receiver.url, "300ms"]).result;

        expect(result).toMatchObject({ code, signal });
        expect(receiver.requests.length).toBeLessThanOrEqual(1);
      } finally {
        await receiver.close();
      }
    },
  );
});
