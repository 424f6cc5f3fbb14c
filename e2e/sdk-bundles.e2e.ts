import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionNames, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const sdk = fileURLToPath(new URL("../packages/sdk-node/", import.meta.url));
let directory: string;

/** One file with all of its dependencies but `external`, which are beside it in `node_modules`. */
async function bundle(name: string, format: "es" | "cjs", external: readonly string[]): Promise<string> {
  const outDir = join(directory, name);
  await build({
    configFile: false,
    logLevel: "silent",
    root: fileURLToPath(new URL(".", import.meta.url)),
    resolve: { conditions: ["node", "default"] },
    ssr: { noExternal: true, external: [...external], resolve: { conditions: ["node", "default"] } },
    build: {
      ssr: fixturePath("sdk-bundled.mjs"),
      outDir,
      minify: true,
      sourcemap: true,
      rolldownOptions: { output: { format, entryFileNames: `app.${format === "es" ? "mjs" : "cjs"}` } },
    },
  });
  for (const id of external) {
    const target = id === "@pyroscope-ts/sdk-node" ? sdk : join(sdk, "node_modules", id);
    await mkdir(dirname(join(outDir, "node_modules", id)), { recursive: true });
    await symlink(target, join(outDir, "node_modules", id));
  }
  return join(outDir, `app.${format === "es" ? "mjs" : "cjs"}`);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sdk-bundles-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const NO_FILES =
  "uploads are the work of the profiled thread: the SDK is bundled without its file exporters/helper-worker.js";

const cases = [
  { name: "whole", format: "es", external: [], backend: "inspector", warnings: [/No|Cannot find module/] },
  { name: "whole-cjs", format: "cjs", external: [], backend: "inspector", warnings: [/Cannot find module/] },
  { name: "native", format: "cjs", external: ["@datadog/pprof"], backend: "native", warnings: [NO_FILES] },
  { name: "external", format: "es", external: ["@pyroscope-ts/sdk-node"], backend: "native", warnings: [] },
] as const;

describe.for(cases)("a bundle $name ($format)", ({ name, format, external, backend, warnings }) => {
  it("sends its profiles, and says what is missing in one line", async () => {
    const program = await bundle(name, format, external);
    // What differs between lines of Node is whether a module can be left out; how it is left out does not.
    for (const { path } of name === "whole" ? allNodes : allNodes.slice(0, 1)) {
      await withReceiver(async (receiver) => {
        const { code, stdout, stderr } = await runProgram(path, [program, receiver.url]).result;

        expect({ code, stdout }).toEqual({ code: 0, stdout: `${backend} true\n` });
        const lines = stderr.split("\n").filter((line) => line !== "");
        expect(lines).toEqual(
          warnings.map((warning) =>
            typeof warning === "string" ? expect.stringContaining(warning) : expect.stringMatching(warning),
          ),
        );
        // A name that only the source map has.
        expect(functionNames(receiver.profiles(), "process_cpu")).toContain("burnBundled");
      });
    }
  });
});
