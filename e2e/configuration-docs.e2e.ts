import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));

it("docs/configuration.md says what the settings tables say", async () => {
  const args = ["--conditions=@pyroscope-ts/source", "scripts/generate-docs.ts", "--check"];

  await expect(run(process.execPath, args, { cwd: root })).resolves.toMatchObject({ stderr: "" });
});
