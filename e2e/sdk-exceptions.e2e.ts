import { describe, expect, it } from "vitest";
import { readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-exceptions.mjs");

/** Each sample as `thrower class {route} count`. */
async function exceptionsOf(node: string, ending: string): Promise<readonly string[]> {
  return withReceiver(async (receiver) => {
    const { code, stderr } = await runProgram(node, [program, receiver.url, ending]).result;
    expect(code).toBe(1);
    expect(stderr).toContain("RangeError: the end");
    return receiver.profiles().flatMap(({ labels, profile }) => {
      expect([labels.__name__, profile.sampleTypes, profile.periodType]).toEqual([
        "exceptions",
        [{ type: "samples", unit: "count" }],
        undefined,
      ]);
      return readSamples(profile).map(
        ({ frames, labels: own, value }) =>
          `${frames[1]?.name} ${frames[0]?.name} {${own.route ?? ""}} ${value}`,
      );
    });
  });
}

const counted = [
  "refuseLater TypeError {/later} 3",
  "refuseOrder OutOfStock {/order} 3",
  "refuseOrder OutOfStock {/quiet} 1",
];

describe.for(allNodes)("the profile of exceptions on Node $major", ({ path }) => {
  it("has those of labelled calls, those that are reported, and the one that ends the program", async () => {
    expect([...(await exceptionsOf(path, "throw"))].sort()).toEqual(
      [...counted, "throwAtLast RangeError {} 1"].sort(),
    );
  });

  it("has the rejection that nobody handles, which ends the program as ever", async () => {
    expect([...(await exceptionsOf(path, "reject"))].sort()).toEqual(
      ["crash RangeError {/crash} 1", ...counted].sort(),
    );
  });
});
