import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// A script without types.
const { packPackages }: { packPackages: PackPackages } = await import(
  new URL("../../scripts/pack.mjs", import.meta.url).href
);

type PackPackages = (directory: string) => readonly {
  readonly name: string;
  readonly manifest: { readonly name: string };
  readonly archive: string;
}[];

/** The archives of the SDK and of what it needs, by package name, as `dependencies` has them. */
export function packSdk(directory: string): Readonly<Record<string, string>> {
  mkdirSync(directory);
  return Object.fromEntries(
    packPackages(directory)
      .filter(({ name }) => name === "protocol" || name === "sdk-node")
      .map(({ manifest, archive }) => [manifest.name, `file:${archive}`]),
  );
}

const programs: URL = new URL("../programs/", import.meta.url);

/** What every program burns CPU time with; each has a copy of its own to build. */
export const SHOP_FILE: URL = new URL("shop.ts", programs);

/** Where programs have their sources that their framework does not look for; `src` for the others. */
const sourceFolders: Readonly<Record<string, string>> = { next: "lib", nitro: "lib" };

/** Copies `programs/<name>` into `directory`, and installs what it needs and the archives with npm. */
export function installProgram(
  name: string,
  directory: string,
  archives: Readonly<Record<string, string>>,
): string {
  const folder = join(directory, name);
  cpSync(fileURLToPath(new URL(name, programs)), folder, { recursive: true });
  cpSync(fileURLToPath(SHOP_FILE), join(folder, sourceFolders[name] ?? "src", "shop.ts"));
  const path = join(folder, "package.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(
    path,
    JSON.stringify({ ...manifest, dependencies: { ...manifest.dependencies, ...archives } }),
  );
  runNpm(folder, process.execPath, "install", "--no-audit", "--no-fund", "--loglevel=error");
  return folder;
}

/** Builds a program as for production, on a Node. */
export function buildProgram(folder: string, node: string): void {
  runNpm(folder, node, "run", "build");
}

function runNpm(cwd: string, node: string, ...args: readonly string[]): void {
  const PATH = [dirname(node), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "" };
  try {
    execFileSync("npm", args, { cwd, encoding: "utf8", stdio: "pipe", env });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`npm ${args.join(" ")} in ${cwd}: ${stdout}\n${stderr}`, { cause: error });
  }
}
