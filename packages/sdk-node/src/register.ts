// For `node --import @pyroscope-ts/sdk-node/register app.js` and NODE_OPTIONS: profiles a program that knows nothing
// of it, with settings from the environment alone.
import { basename } from "node:path";
import process from "node:process";
import { EXPORT_PROGRAM } from "./heap-limit/heap-limit-watch.ts";
import { sdk } from "./thread-sdk.ts";

// With NODE_OPTIONS a package manager that starts the program is a Node process too; nobody wants its profiles.
const PACKAGE_MANAGERS: ReadonlySet<string> = new Set([
  "npm",
  "npx",
  "pnpm",
  "pnpx",
  "yarn",
  "yarnpkg",
  "corepack",
]);

const program = basename(process.argv[1] ?? "").replace(/(-cli)?\.[cm]?js$/, "");

// The SDK's own child process, at the heap limit of the one that it reports about.
const isOwn = program === EXPORT_PROGRAM;

if (!PACKAGE_MANAGERS.has(program) && !isOwn) sdk.startPreloaded();
