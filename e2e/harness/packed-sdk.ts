import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the SDK's package. */
export const sdkFolder: string = fileURLToPath(new URL("../../packages/sdk-node/", import.meta.url));

/**
 * Puts the SDK as `pnpm pack` makes it into `directory`, where a program there finds it; `npm run packed-examples` installs
 * the archive itself.
 *
 * @returns the folder of the package.
 */
export async function installPackedSdk(directory: string): Promise<string> {
  const installed = join(directory, "node_modules/@pyroscope-ts/sdk-node");
  await mkdir(installed, { recursive: true });
  const script = fileURLToPath(new URL("../../scripts/bundle-sdk.mjs", import.meta.url));
  execFileSync(process.execPath, [script, join(installed, "bundle")]);
  await cp(join(sdkFolder, "bin"), join(installed, "bin"), { recursive: true });
  const { publishConfig, ...manifest } = JSON.parse(await readFile(join(sdkFolder, "package.json"), "utf8"));
  await writeFile(join(installed, "package.json"), JSON.stringify({ ...manifest, ...publishConfig }));
  await linkPackages(directory, join(sdkFolder, "node_modules"), Object.keys(manifest.dependencies));
  return installed;
}

/** Lets programs in `directory` find packages of another folder of them. */
export async function linkPackages(directory: string, from: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const link = join(directory, "node_modules", id);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(from, id), link);
  }
}
