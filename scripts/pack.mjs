// `npm run pack`: archives of all public packages in archives/, for machines that cannot get them from a registry.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Packs the public packages; `pnpm pack` writes real versions in place of `workspace:*`.
 *
 * @param {string} destination - An existing folder.
 * @returns {{ name: string, folder: string, manifest: { name: string, peerDependencies?: Record<string, string> }, archive: string }[]}
 */
export function packPackages(destination) {
  const { packageManager } = readJson(join(root, "package.json"));
  return readdirSync(join(root, "packages"))
    .map((name) => ({ name, folder: join(root, "packages", name) }))
    .map((entry) => ({ ...entry, manifest: readJson(join(entry.folder, "package.json")) }))
    .filter(({ manifest }) => !manifest.private)
    .map((entry) => {
      const args = ["--yes", packageManager, "pack", "--json", "--pack-destination", destination];
      const output = execFileSync("npx", args, { cwd: entry.folder, encoding: "utf8" });
      return { ...entry, archive: JSON.parse(output.slice(output.indexOf("{"))).filename };
    });
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const destination = join(root, "archives");
  mkdirSync(destination, { recursive: true });
  const packed = packPackages(destination);
  const archivesOf = (...names) =>
    packed
      .filter(({ name }) => names.includes(name))
      .map(({ archive }) => archive)
      .join(" ");
  console.log(
    `In your program's folder, for the SDK:\n\n  npm install ${archivesOf("protocol", "sdk-node")}\n`,
  );
  console.log(`with OpenTelemetry as well:\n\n  npm install ${archivesOf("otel-span-profiles")}\n`);
  console.log(`For the receiver:\n\n  npm install -g ${archivesOf("protocol", "receiver")}\n`);
}
