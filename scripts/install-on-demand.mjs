// Packages that a command needs and the workspace does not: installed into a folder of the temporary directory when they are
// first wanted, with exact versions, by the npm that is there.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The folder with `dependencies` (versions by name) in its `node_modules`. Install scripts do not run. */
export function installOnDemand(name, dependencies) {
  const manifest = JSON.stringify({ name, private: true, dependencies });
  const hash = createHash("sha256").update(manifest).digest("hex").slice(0, 12);
  const directory = join(tmpdir(), `pyroscope-ts-${name}-${hash}`);
  const done = join(directory, "installed");
  if (existsSync(done)) return directory;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), manifest);
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  console.error(`installing ${Object.keys(dependencies).join(", ")} into ${directory}`);
  // The npm that belongs to this Node may be missing: the workspace brings the runtime alone.
  execFileSync("npm", args, {
    cwd: directory,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, PATH: `${process.env.PATH}:${dirname(process.execPath)}` },
  });
  writeFileSync(done, "");
  return directory;
}
