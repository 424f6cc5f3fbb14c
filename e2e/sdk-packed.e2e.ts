import { existsSync, globSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionNames, withReceiver } from "./harness/fake-receiver.ts";
import { installPackedSdk, sdkFolder } from "./harness/packed-sdk.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

let directory: string;
let installed: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sdk-packed-"));
  installed = await installPackedSdk(directory);
  for (const name of ["sdk-bundled.mjs", "sdk-unaware.mjs"]) {
    await cp(fixturePath(name), join(directory, name));
  }
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("the packed SDK", () => {
  // The oldest and the newest, each a second.
  const lines = allNodes.filter(({ major }) => major === "20" || major === "26");

  it.for(lines)("profiles and uploads, and has nothing to say: Node $major", async ({ path }) => {
    await withReceiver(async (receiver) => {
      const ended = await runProgram(path, [join(directory, "sdk-bundled.mjs"), receiver.url]).result;

      expect(ended).toMatchObject({ code: 0, stdout: "native true\n", stderr: "" });
      expect(functionNames(receiver.profiles(), "process_cpu")).toContain("burnBundled");
    });
  });

  it("is loaded as three files", async () => {
    const program = join(directory, "count.mjs");
    await writeFile(
      program,
      `import { registerHooks } from "node:module";
      const urls = [];
      registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
      const { start } = await import("@pyroscope-ts/sdk-node");
      console.log(urls.filter((url) => url.startsWith("file:")).map((url) => url.split("/").at(-1)).join(" "));`,
    );

    const { stdout, stderr } = await runProgram(process.execPath, [program]).result;

    expect({ stdout, stderr }).toEqual({ stdout: "index.js sdk.js own-files.js\n", stderr: "" });
  });

  it("has a command that profiles a program", async () => {
    await withReceiver(async (receiver) => {
      const args = ["exec", "--application-name", "packed", "--server-address", receiver.url];
      const program = [process.execPath, join(directory, "sdk-unaware.mjs")];
      const bin = join(installed, "bin/pyroscope-node.js");
      await runProgram(process.execPath, [bin, ...args, "--exit-timeout", "1m", "--", ...program]).result;

      expect(receiver.profiles().map(({ labels }) => labels.service_name)).toContain("packed");
    });
  });

  it("names no file that it does not have, also for tools that copy what a program needs", () => {
    const files = globSync("bundle/**/*.js", { cwd: installed }).map((name) => join(installed, name));
    const missing = files.flatMap((file) =>
      Array.from(readFileSync(file, "utf8").matchAll(/(?:from|import\()[^"';]*"(\.[^"]+)"/g), ([, to = ""]) =>
        join(dirname(file), to),
      ).filter((target) => !existsSync(target)),
    );
    expect(missing).toEqual([]);
    expect(readFileSync(join(installed, "bundle/sdk.js"), "utf8")).toMatch(
      /webpackIgnore: true[^"]*"\.\/exporters\/helper-worker\.js"/,
    );
  });

  it("declares the same entries as in the workspace", () => {
    const { exports, publishConfig } = JSON.parse(readFileSync(join(sdkFolder, "package.json"), "utf8"));
    expect(Object.keys(publishConfig.exports)).toEqual(Object.keys(exports));
  });
});
