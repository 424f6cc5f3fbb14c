// Packs every public package, installs the archives with plain npm in an empty directory, and runs each README's first
// JavaScript example there: what a stranger gets. The SDK side runs on Node 20, the receiver on the Node of the tools.
// Needs the npm registry. Runs through `npm run packed-examples`.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { packPackages } from "./pack.mjs";

const EXAMPLE_TIMEOUT_MS = 60_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node20 = join(root, "e2e/node_modules/node20/bin/node");
const sdkNode = existsSync(node20) ? node20 : process.execPath;

const folder = mkdtempSync(join(tmpdir(), "packed-examples-"));
let receiver;
try {
  const packages = packPackages(folder);
  install(packages);
  checkReceiverOnNode20();
  receiver = await startReceiver();
  for (const entry of packages) runExample(entry);
  console.log(`packed examples: ${packages.length} packages installed and run`);
} finally {
  receiver?.process.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

/** Together, and with the versions pinned to the archives: none of these names is looked up in a registry. */
function install(packages) {
  const dependencies = Object.fromEntries(
    packages.map(({ manifest, archive }) => [manifest.name, `file:${archive}`]),
  );
  const needed = Object.assign({}, ...packages.map(({ manifest }) => manifest.peerDependencies));
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies: { ...needed, ...dependencies } }),
  );
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: "inherit",
  });
}

function checkReceiverOnNode20() {
  if (sdkNode !== node20) return;
  const bin = join(folder, "node_modules/@pyroscope-ts/receiver/bin/pyroscope.js");
  const lines = runToEnd(node20, [bin, "server"], { expectFailure: true }).trim().split("\n");
  if (lines.length !== 1 || !lines[0].includes("22.19")) {
    throw new Error(
      `the receiver on Node 20 must say in one line what it needs, but said:\n${lines.join("\n")}`,
    );
  }
}

/** Resolves once the installed receiver answers; its address goes to the examples. */
async function startReceiver() {
  const args = ["server", "--api-bind-addr", "127.0.0.1:0", "--storage-path", join(folder, "data")];
  const child = spawn(
    process.execPath,
    [join(folder, "node_modules/@pyroscope-ts/receiver/bin/pyroscope.js"), ...args],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const address = await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the receiver ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const match = /listening on (http:\/\/\S+)/.exec(line);
      if (match) resolve(match[1]);
    });
  });
  return { process: child, address };
}

function runExample({ name, folder: source }) {
  const readme = readFileSync(join(source, "README.md"), "utf8");
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
  if (example === undefined) throw new Error(`packages/${name}/README.md has no JavaScript example`);
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, example.replaceAll("http://127.0.0.1:4040", receiver.address));
  const output = runToEnd(name === "receiver" ? process.execPath : sdkNode, [file], {});
  console.log(
    `packed examples: ${name} ok${output === "" ? "" : `, printed ${JSON.stringify(output.slice(0, 80))}`}`,
  );
}

function runToEnd(node, args, { expectFailure = false }) {
  try {
    const output = execFileSync(node, args, {
      cwd: folder,
      encoding: "utf8",
      timeout: EXAMPLE_TIMEOUT_MS,
      stdio: "pipe",
    });
    if (expectFailure) throw new Error(`${args.join(" ")} must fail, but printed: ${output}`);
    return output;
  } catch (error) {
    if (expectFailure && error.status > 0) return `${error.stdout}${error.stderr}`;
    throw new Error(`${args.join(" ")}: ${error.message}\n${error.stdout ?? ""}\n${error.stderr ?? ""}`, {
      cause: error,
    });
  }
}
