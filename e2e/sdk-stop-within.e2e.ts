import { describe, expect, it } from "vitest";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

describe.for(allNodes)("stop() on Node $major", ({ path }) => {
  it("does not crash the program within labelled work", async () => {
    const result = await runProgram(path, [fixturePath("sdk-stop-within.mjs")]).result;

    expect(result).toMatchObject({ code: 0, signal: null, stdout: "survived\n" });
  });
});
